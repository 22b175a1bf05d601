// The scripted model's tokens and acceptance.
#include "runtime/core/script.hpp"

#include <algorithm>

#include "traces/base/check.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"

namespace tandem::script {
namespace {

constexpr std::uint64_t kTokenStream = hash_text("token");
constexpr std::uint64_t kWrongStream = hash_text("wrong");
constexpr std::uint64_t kAcceptStream = hash_text("accept");
constexpr std::uint64_t kNgramStream = hash_text("ngram");
constexpr std::uint64_t kSeedStream = hash_text("infer_seed");
constexpr std::uint64_t kSeedModulus = 9'223'372'036'854'775'806;  // MAX_SEED (5.4)

bool is_special(const RunConfig& config, std::int64_t token) {
  return token == config.padding_id ||
         std::find(config.eos_ids.begin(), config.eos_ids.end(), token) != config.eos_ids.end();
}

/// Neither special nor stop_id, which is found among the first ids: one more than are special.
bool is_ordinary(const RunConfig& config, std::int64_t token) {
  if (is_special(config, token)) return false;
  return token > static_cast<std::int64_t>(config.eos_ids.size()) + 1 || token != stop_id(config);
}

/// The first ordinary id from `start` on, cyclically, that is not `other`. The parser guarantees a
/// vocabulary that holds two of them.
std::int64_t ordinary_from(const RunConfig& config, std::uint64_t start, std::int64_t other) {
  std::int64_t id = static_cast<std::int64_t>(
      ((start >> 32U) * static_cast<std::uint64_t>(config.vocab_size)) >> 32U);
  while (!is_ordinary(config, id) || id == other) id = id + 1 == config.vocab_size ? 0 : id + 1;
  return id;
}

}  // namespace

Request of(const RequestRow& row) {
  return {row.id, row.prompt_len, row.eos_at, row.stop_at, row.accept};
}

std::int64_t stop_id(const RunConfig& config) {
  std::int64_t id = 0;
  while (is_special(config, id)) ++id;
  return id;
}

std::int64_t token(const RunConfig& config, const Request& request, std::int64_t position) {
  if (request.eos_at > 0 && position == request.prompt_len + std::int64_t{request.eos_at} - 1) {
    return config.eos_ids.front();
  }
  if (request.stop_at > 0 && position == request.prompt_len + std::int64_t{request.stop_at} - 1) {
    return stop_id(config);
  }
  const std::uint64_t draw =
      keyed_draw(config.seed, kTokenStream, static_cast<std::uint64_t>(request.id),
                 static_cast<std::uint64_t>(position));
  return ordinary_from(config, draw, -1);
}

std::int64_t wrong_token(const RunConfig& config, const Request& request, std::int64_t position,
                         std::uint64_t salt) {
  const std::uint64_t draw =
      keyed_draw(config.seed ^ salt, kWrongStream, static_cast<std::uint64_t>(request.id),
                 static_cast<std::uint64_t>(position));
  return ordinary_from(config, draw, token(config, request, position));
}

namespace {

std::int32_t count_from_list(std::span<const std::int32_t> list, std::int64_t g) {
  std::int64_t total = 0;
  for (const std::int32_t entry : list) total += entry;
  std::int64_t rest = (g - 1) % total;  // the list repeats at its end
  for (const std::int32_t entry : list) {
    if (rest < entry) return static_cast<std::int32_t>(entry - rest);
    rest -= entry;
  }
  TANDEM_CHECK(false);
  return 1;
}

}  // namespace

std::int32_t accept_count(const RunConfig& config, const Request& request, std::int64_t g) {
  TANDEM_CHECK(g >= 1);
  if (config.acceptance.kind == AcceptKind::list) {
    return request.accept.empty() ? 1 : count_from_list(request.accept, g);
  }
  std::int32_t count = 1;
  for (const std::uint32_t share : config.acceptance.millionths) {
    const auto key = static_cast<std::uint64_t>(g) * 32 + static_cast<std::uint64_t>(count - 1);
    const std::uint64_t draw =
        keyed_draw(config.seed, kAcceptStream, static_cast<std::uint64_t>(request.id), key);
    if (!draw_is_below(draw, share)) break;
    ++count;
  }
  return count;
}

std::int32_t ngram_count(const RunConfig& config, const RequestRow& row, std::int64_t g) {
  const std::int32_t room = config.num_speculative_tokens - config.num_model_steps;
  if (room <= 0 || g + config.num_model_steps >= row.max_dec_len) return 0;
  const auto draw = [&config, &row, g](std::uint64_t k) {
    return keyed_draw(config.seed, kNgramStream, static_cast<std::uint64_t>(row.id),
                      2 * static_cast<std::uint64_t>(g) + k);
  };
  if (!draw_is_below(draw(0), config.ngram_millionths)) return 0;
  return 1 + static_cast<std::int32_t>(draw(1) % static_cast<std::uint64_t>(room));
}

std::int64_t infer_seed(const RunConfig& config, RequestId request) {
  return static_cast<std::int64_t>(
      keyed_draw(config.seed, kSeedStream, static_cast<std::uint64_t>(request), 0) % kSeedModulus);
}

}  // namespace tandem::script
