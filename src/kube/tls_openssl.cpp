#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <mutex>
#include <vector>

#include "kube/tls.h"
#include "system/handle.h"

namespace nodescout {
namespace {

using Bio = Handle<BIO, BIO_free>;
using Certificate = Handle<X509, X509_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Store = Handle<X509_STORE, X509_STORE_free>;

Error malformed(const Endpoint& endpoint, std::string what) {
  ERR_clear_error();
  return Error{Errc::malformed, endpoint.server, std::move(what)};
}

Bio bio_of(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

/// Every certificate in the text, in order; none if one of them is broken.
std::vector<Certificate> certificates_of(const std::string& pem) {
  std::vector<Certificate> found;
  const Bio bio = bio_of(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) found.emplace_back(certificate);
  // Only "no start line" means that the text was read to its end.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) found.clear();
  return found;
}

/// OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

class OpenSslTls final : public Tls {
 public:
  bool verify = true;
  Store trusted;
  std::vector<Certificate> chain;  // our own certificate, then its issuers
  Key key;

  void apply(SSL_CTX* context) const override {
    note("");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set1_cert_store(context, trusted.get());
    if (verify) SSL_CTX_set_cert_verify_callback(context, check, const_cast<OpenSslTls*>(this));
    if (chain.empty()) return;
    SSL_CTX_use_certificate(context, chain.front().get());
    for (std::size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
    SSL_CTX_use_PrivateKey(context, key.get());
  }

  std::string last_trouble() const override {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }

 private:
  /// OpenSSL's own check; cpprestsdk's callback for the host name runs within it. Only the reason is kept.
  static int check(X509_STORE_CTX* store, void* self) {
    const int verdict = X509_verify_cert(store);
    const int reason = X509_STORE_CTX_get_error(store);
    std::string trouble;
    if (verdict != 1)
      trouble = reason == X509_V_OK || reason == X509_V_ERR_UNSPECIFIED
                    ? "the server's certificate is for another host name"
                    : std::string("the server's certificate is not trusted: ") + X509_verify_cert_error_string(reason);
    static_cast<const OpenSslTls*>(self)->note(std::move(trouble));
    return verdict;
  }
  void note(std::string trouble) const {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(trouble);
  }

  mutable std::mutex mutex_;
  mutable std::string trouble_;
};

}  // namespace

Result<std::shared_ptr<const Tls>> Tls::from(const Endpoint& endpoint) {
  auto tls = std::make_shared<OpenSslTls>();
  tls->verify = endpoint.verify;
  tls->trusted.reset(X509_STORE_new());
  if (endpoint.authorities.empty()) {
    if (endpoint.server.starts_with("https:")) X509_STORE_set_default_paths(tls->trusted.get());
  } else {
    const auto authorities = certificates_of(endpoint.authorities);
    if (authorities.empty()) return malformed(endpoint, "the certificate authority is not a PEM certificate");
    for (const Certificate& authority : authorities) X509_STORE_add_cert(tls->trusted.get(), authority.get());
  }
  if (!endpoint.certificate.empty()) {
    tls->chain = certificates_of(endpoint.certificate);
    if (tls->chain.empty()) return malformed(endpoint, "the client certificate is not a PEM certificate");
    tls->key.reset(PEM_read_bio_PrivateKey(bio_of(endpoint.key).get(), nullptr, no_passphrase, nullptr));
    if (!tls->key)
      return malformed(endpoint, endpoint.key.find("ENCRYPTED") != std::string::npos
                                     ? "the client key has a passphrase; only keys without one can be used"
                                     : "the client key is not a PEM private key");
    if (X509_check_private_key(tls->chain.front().get(), tls->key.get()) != 1)
      return malformed(endpoint, "the client key does not belong to the client certificate");
  }
  ERR_clear_error();
  return std::shared_ptr<const Tls>(std::move(tls));
}

}  // namespace nodescout

/// cpprestsdk calls this for every connection, before it lets us replace the store that it fills: on Debian that parses
/// 140 certificates, which is most of the time that a connection takes (40 of 45 ms) and a few MB. It finds this
/// function before OpenSSL's, since the module precedes its libraries in their search order.
extern "C" __attribute__((visibility("default"))) int SSL_CTX_set_default_verify_paths(SSL_CTX*) { return 1; }
