// Host reference of speculate_get_output_padding_offset.
#include "kernels/detail/reference.hpp"
#include "kernels/speculate_get_output_padding_offset.hpp"

namespace tandem::kernels {
namespace {

using detail::at;

std::int64_t offset_of_slot(const SpeculateGetOutputPaddingOffset& io, std::int32_t i) {
  return i == 0 ? 0 : at(io.output_cum_offsets_tmp, i - 1);
}

std::int64_t first_row(const SpeculateGetOutputPaddingOffset& io, std::int32_t i) {
  return std::int64_t{i} * io.max_seq_len - offset_of_slot(io, i);
}

}  // namespace

Status check_speculate_get_output_padding_offset(const SpeculateGetOutputPaddingOffset& io) {
  detail::Checks checks("speculate_get_output_padding_offset");
  checks.attr("n", io.n, 0);
  checks.attr("max_seq_len", io.max_seq_len, 0);
  checks.entries("output_cum_offsets_tmp", io.output_cum_offsets_tmp, io.n);
  checks.entries("out_token_num", io.out_token_num, 1);
  checks.entries("seq_lens_output", io.seq_lens_output, io.n);
  checks.entries("output_cum_offsets", io.output_cum_offsets, io.n);
  if (!checks.ok()) return checks.status();
  const std::int64_t rows = at(io.out_token_num, 0);
  checks.value("out_token_num", 0, rows, 0, detail::kInt32Max);
  checks.entries("output_padding_offset", io.output_padding_offset, rows);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    const std::int64_t count = at(io.seq_lens_output, i);
    checks.value("seq_lens_output", i, count, 0, rows);
    const std::int64_t first = first_row(io, i);
    if (checks.ok() && count > 0 && (first < 0 || first + count > rows)) {
      checks.fail("output_cum_offsets_tmp",
                  "rows " + std::to_string(first) + ".." + std::to_string(first + count - 1) +
                      " for slot " + std::to_string(i),
                  "rows below out_token_num = " + std::to_string(rows));
    }
  }
  return checks.status();
}

void speculate_get_output_padding_offset_reference(const SpeculateGetOutputPaddingOffset& io) {
  detail::require(check_speculate_get_output_padding_offset(io));
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int32_t offset = detail::narrow(offset_of_slot(io, i));
    at(io.output_cum_offsets, i) = offset;
    for (std::int32_t j = 0; j < at(io.seq_lens_output, i); ++j) {
      at(io.output_padding_offset, first_row(io, i) + j) = offset;
    }
  }
}

}  // namespace tandem::kernels
