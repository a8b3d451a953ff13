#include "kube/credentials.h"

#include "base/text.h"
#include "system/file.h"

namespace nodescout {
namespace {

constexpr std::chrono::minutes kFileIsFresh{1};
constexpr std::size_t kLargestToken = 64u << 10;
/// A credential is not used in its last moments: the server's clock may be ahead of ours.
constexpr std::chrono::seconds kBeforeExpiry{10};

std::string bearer(const std::string& token) { return token.empty() ? "" : "Bearer " + token; }

}  // namespace

Result<std::string> Credentials::authorization(Transport& transport, const std::stop_token& stop) {
  if (const auto* token = std::get_if<std::string>(&source_)) return bearer(*token);
  const std::lock_guard lock(mutex_);
  if (const auto* file = std::get_if<TokenFile>(&source_)) return from_file(*file);
  if (const auto* plugin = std::get_if<ExecPlugin>(&source_)) return from_program(*plugin, transport, stop);
  return std::string();
}

Result<std::string> Credentials::from_file(const TokenFile& file) {
  if (known_ && clock_.now() - read_at_ < kFileIsFresh) return bearer(token_);
  auto text = read_regular_file(file.path, kLargestToken);
  const std::string token(text ? trim(*text) : "");
  if (token.empty()) {
    // The kubelet replaces the file by a rename, so this is not a half-written file; but the old token may still be
    // good.
    if (known_) return bearer(token_);
    return text ? Error{Errc::malformed, file.path, "the token file is empty"} : text.error();
  }
  token_ = token;
  known_ = true;
  read_at_ = clock_.now();
  return bearer(token_);
}

Result<std::string> Credentials::from_program(const ExecPlugin& plugin, Transport& transport,
                                              const std::stop_token& stop) {
  if (known_ && (!expires_ || clock_.today() + kBeforeExpiry < *expires_)) return bearer(token_);
  auto credential = run(plugin, stop);
  if (!credential) return credential.error();
  if (credential->certificate != certificate_) {
    if (const Status status = transport.identify(credential->certificate, credential->key); !status)
      return Error{Errc::malformed, plugin.where, status.error().what};
    certificate_ = credential->certificate;
  }
  token_ = credential->token;
  expires_ = credential->expires;
  known_ = true;
  return bearer(token_);
}

bool Credentials::refused(const std::string& authorization) {
  const std::lock_guard lock(mutex_);
  const bool can_change = std::holds_alternative<TokenFile>(source_) || std::holds_alternative<ExecPlugin>(source_);
  // Another thread may have got a new one meanwhile.
  if (can_change && known_ && bearer(token_) == authorization) known_ = false;
  return can_change;
}

}  // namespace nodescout
