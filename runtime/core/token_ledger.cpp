// Streams of tokens and the digest over all requests.
#include "runtime/core/token_ledger.hpp"

#include "traces/base/hash.hpp"

namespace tandem {
namespace {

/// What one request's stream adds to the digest of all.
std::uint64_t stream_digest(RequestId id, std::int32_t length, std::uint64_t stream) {
  const std::uint64_t named = hash_chain(stream, static_cast<std::uint64_t>(id));
  return mix64(hash_chain(named, static_cast<std::uint64_t>(length)));
}

}  // namespace

StopReason reason_to_end(const RequestRow& row, std::int32_t generated) {
  if (generated == row.eos_at) return StopReason::eos;
  const bool stop_is_tried = row.stop_at > 0 && row.min_tokens <= row.max_dec_len;
  if (stop_is_tried && generated == row.stop_at + 1) return StopReason::stop;
  return generated >= row.max_dec_len ? StopReason::length : StopReason::eos;
}

void TokenLedger::deliver(TokenStream& stream, std::span<const std::int64_t> tokens) {
  count_out(stream);
  for (const std::int64_t token : tokens) {
    ++stream.generated;
    if (stream.compared() == stream.generated) {
      stream.hash = hash_chain(stream.hash, static_cast<std::uint64_t>(token));
    }
  }
  count_in(stream);
}

void TokenLedger::close(const TokenStream& stream) {
  // Only a request that ended counts with an empty stream (aborted before its first token).
  if (stream.compared() == 0) totals_.token_digest += stream_digest(stream.id, 0, 0);
  ++totals_.requests;
}

void TokenLedger::count_in(const TokenStream& stream) {
  const std::int32_t tokens = stream.compared();
  if (tokens == 0) return;
  totals_.tokens += tokens;
  totals_.token_digest += stream_digest(stream.id, tokens, stream.hash);
}

/// Takes back what count_in added: the sum is modulo 2^64, so this is exact.
void TokenLedger::count_out(const TokenStream& stream) {
  const std::int32_t tokens = stream.compared();
  if (tokens == 0) return;
  totals_.tokens -= tokens;
  totals_.token_digest -= stream_digest(stream.id, tokens, stream.hash);
}

}  // namespace tandem
