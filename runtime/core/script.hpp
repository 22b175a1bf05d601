// The scripted model: target tokens and accepted counts as pure functions of the request.
//
// Positions are text positions of a request: [0, P) prompt, P + k the (k+1)-th generated token.
// Everything is constexpr over a Config, which is RunConfig, or on a GPU a plain struct with the
// same members: one text for both devices.
#pragma once

#include <cstdint>
#include <span>

#include "traces/base/check.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::script {

/// What the script needs of a request, kept per slot beside the request itself.
struct Request {
  RequestId id = kNoRequest;
  std::int32_t prompt_len = 0;
  std::int32_t eos_at = 0;               ///< as RequestRow::eos_at
  std::int32_t stop_at = 0;              ///< as RequestRow::stop_at
  std::span<const std::int32_t> accept;  ///< as RequestRow::accept; outlives this
};

[[nodiscard]] inline Request of(const RequestRow& row) {
  return {row.id, row.prompt_len, row.eos_at, row.stop_at, row.accept};
}

namespace detail {

constexpr std::uint64_t kTokenStream = hash_text("token");
constexpr std::uint64_t kWrongStream = hash_text("wrong");
constexpr std::uint64_t kAcceptStream = hash_text("accept");
constexpr std::uint64_t kNgramStream = hash_text("ngram");
constexpr std::uint64_t kSeedStream = hash_text("infer_seed");
constexpr std::uint64_t kSeedModulus = 9'223'372'036'854'775'806;  // MAX_SEED (5.4)

template <class Config>
constexpr bool is_special(const Config& config, std::int64_t token) {
  if (token == config.padding_id) return true;
  for (const std::int64_t eos : config.eos_ids) {
    if (token == eos) return true;
  }
  return false;
}

}  // namespace detail

/// The least id that is neither EOS nor the padding id. It is the target's generated token stop_at,
/// where one is given, and stands nowhere else: so a stop sequence that ends with it matches once.
template <class Config>
[[nodiscard]] constexpr std::int64_t stop_id(const Config& config) {
  std::int64_t id = 0;
  while (detail::is_special(config, id)) ++id;
  return id;
}

namespace detail {

/// Neither special nor stop_id, which is found among the first ids: one more than are special.
template <class Config>
constexpr bool is_ordinary(const Config& config, std::int64_t token) {
  if (is_special(config, token)) return false;
  return token > static_cast<std::int64_t>(config.eos_ids.size()) + 1 || token != stop_id(config);
}

/// The first ordinary id from `start` on, cyclically, that is not `other`. The parser guarantees a
/// vocabulary that holds two of them.
template <class Config>
constexpr std::int64_t ordinary_from(const Config& config, std::uint64_t start,
                                     std::int64_t other) {
  auto id = static_cast<std::int64_t>(
      ((start >> 32U) * static_cast<std::uint64_t>(config.vocab_size)) >> 32U);
  while (!is_ordinary(config, id) || id == other) id = id + 1 == config.vocab_size ? 0 : id + 1;
  return id;
}

constexpr std::int32_t count_from_list(std::span<const std::int32_t> list, std::int64_t g) {
  std::int64_t total = 0;
  for (const std::int32_t entry : list) total += entry;
  std::int64_t rest = (g - 1) % total;  // the list repeats at its end
  std::size_t j = 0;
  while (rest >= list[j]) rest -= list[j++];
  return static_cast<std::int32_t>(list[j] - rest);
}

}  // namespace detail

/// The token at a text position: EOS at generated token eos_at, never EOS elsewhere; stop_id at
/// generated token stop_at (eos_at goes first), never elsewhere; always in [0, vocab_size) and
/// different from the padding id.
template <class Config>
[[nodiscard]] constexpr std::int64_t token(const Config& config, const Request& request,
                                           std::int64_t position) {
  if (request.eos_at > 0 && position == request.prompt_len + std::int64_t{request.eos_at} - 1) {
    return config.eos_ids.front();
  }
  if (request.stop_at > 0 && position == request.prompt_len + std::int64_t{request.stop_at} - 1) {
    return stop_id(config);
  }
  const std::uint64_t draw =
      keyed_draw(config.seed, detail::kTokenStream, static_cast<std::uint64_t>(request.id),
                 static_cast<std::uint64_t>(position));
  return detail::ordinary_from(config, draw, -1);
}

/// A token that is not the one at this position, no EOS and not stop_id: what a wrong draft or a
/// model fed with wrong rows says. `salt` makes different mistakes differ.
template <class Config>
[[nodiscard]] constexpr std::int64_t wrong_token(const Config& config, const Request& request,
                                                 std::int64_t position, std::uint64_t salt) {
  const std::uint64_t draw =
      keyed_draw(config.seed ^ salt, detail::kWrongStream, static_cast<std::uint64_t>(request.id),
                 static_cast<std::uint64_t>(position));
  return detail::ordinary_from(config, draw, token(config, request, position));
}

/// Tokens a decode step from committed length g commits before clipping (AcceptProfile). g >= 1.
template <class Config>
[[nodiscard]] constexpr std::int32_t accept_count(const Config& config, const Request& request,
                                                  std::int64_t g) {
  TANDEM_CHECK(g >= 1);
  if (config.acceptance.kind == AcceptKind::list) {
    return request.accept.empty() ? 1 : detail::count_from_list(request.accept, g);
  }
  std::int32_t count = 1;
  for (const std::uint32_t share : config.acceptance.millionths) {
    const auto key = static_cast<std::uint64_t>(g) * 32 + static_cast<std::uint64_t>(count - 1);
    const std::uint64_t draw =
        keyed_draw(config.seed, detail::kAcceptStream, static_cast<std::uint64_t>(request.id), key);
    if (!draw_is_below(draw, share)) break;
    ++count;
  }
  return count;
}

/// ngram(request, g) of traces/run_config.hpp: drafts an n-gram match appends behind the M of the
/// MTP head, 0..K-M. g committed tokens; the text is finished and the slot runs.
template <class Config>
[[nodiscard]] constexpr std::int32_t ngram_count(const Config& config, RequestId request,
                                                 std::int64_t max_dec_len, std::int64_t g) {
  const std::int32_t room = config.num_speculative_tokens - config.num_model_steps;
  if (room <= 0 || g + config.num_model_steps >= max_dec_len) return 0;
  const auto id = static_cast<std::uint64_t>(request);
  const std::uint64_t key = 2 * static_cast<std::uint64_t>(g);
  const std::uint64_t matches = keyed_draw(config.seed, detail::kNgramStream, id, key);
  if (!draw_is_below(matches, config.ngram_millionths)) return 0;
  const std::uint64_t draw = keyed_draw(config.seed, detail::kNgramStream, id, key + 1);
  const auto count = 1 + static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(room));
  const std::int64_t left = max_dec_len - g - 1 - config.num_model_steps;
  return static_cast<std::int32_t>(count < left ? count : left);
}

/// Seed of a request's first sampled token after an insert, in [0, 2^63 - 2)
/// (traces/run_config.hpp).
template <class Config>
[[nodiscard]] constexpr std::int64_t infer_seed(const Config& config, RequestId request) {
  const std::uint64_t draw =
      keyed_draw(config.seed, detail::kSeedStream, static_cast<std::uint64_t>(request), 0);
  return static_cast<std::int64_t>(draw % detail::kSeedModulus);
}

}  // namespace tandem::script
