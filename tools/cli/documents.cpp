// Writes result documents.
#include "tools/cli/documents.hpp"

#include <span>

namespace tandem::cli {

Result<Document> Document::open(Io& io, const std::string& option, const std::string& path) {
  Document document;
  document.to_stdout_ = path == "-";
  if (!path.empty() && path != "-") {
    Result<std::unique_ptr<OutputFile>> file = io.files.create(path);
    if (!file.ok()) return file.error().within(option);
    document.file_ = std::move(file).value();
  }
  return document;
}

Status Document::write(Io& io, const std::string& text) {
  if (to_stdout_) io.out.write(text);
  if (file_ == nullptr) return {};
  TANDEM_RETURN_IF_ERROR(file_->write(std::as_bytes(std::span(text.data(), text.size()))));
  return file_->close();
}

}  // namespace tandem::cli
