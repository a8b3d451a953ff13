// A certificate authority of the tests' own: for the API server, for proxies in front of it, and for users.
#pragma once

#include <chrono>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace nodescout::test {

struct KeyPair {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

class CertificateAuthority {
 public:
  CertificateAuthority();
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  const std::string& certificate() const { return pem_; }

  /// `names`: "DNS:localhost", "IP:127.0.0.1".
  KeyPair for_server(const std::vector<std::string>& names) const;
  /// As Kubernetes reads it: the common name is the user, organizations are the groups.
  KeyPair for_user(const std::string& user, const std::vector<std::string>& groups = {},
                   std::chrono::seconds lifetime = std::chrono::hours(24)) const;

 private:
  evp_pkey_st* key_;
  x509_st* certificate_;
  std::string pem_;
};

/// A key pair without certificate, to sign service-account tokens with.
struct SigningKey {
  std::string private_key, public_key;
};
SigningKey make_signing_key();

}  // namespace nodescout::test
