#include "e2e/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "system/handle.h"

namespace nodescout::test {
namespace {

using Bio = Handle<BIO, BIO_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Handle<X509, X509_free>;

Key new_key() { return Key(EVP_EC_gen("P-256")); }

template <class Write>
std::string pem_of(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (write(bio.get()) != 1) throw std::runtime_error("cannot write PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string private_pem(EVP_PKEY* key) {
  return pem_of([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void add_name(X509* certificate, const char* field, const std::string& value) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), field, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()), -1,
                             0);
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension) throw std::runtime_error("bad certificate extension " + value);
  X509_add_ext(certificate, extension.get(), -1);
}

Certificate new_certificate(EVP_PKEY* key, std::chrono::seconds lifetime) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::int64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), serial & INT64_MAX);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), lifetime.count());
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

CertificateAuthority::CertificateAuthority() {
  Key key = new_key();
  Certificate certificate = new_certificate(key.get(), std::chrono::hours(48));
  add_name(certificate.get(), "CN", "nodescout tests");
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign,digitalSignature");
  add_extension(certificate.get(), NID_subject_key_identifier, "hash");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  pem_ = pem_of(certificate.get());
  key_ = key.release();
  certificate_ = certificate.release();
}

CertificateAuthority::~CertificateAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

KeyPair CertificateAuthority::for_server(const std::vector<std::string>& names) const {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get(), std::chrono::hours(24));
  add_name(certificate.get(), "CN", "server");
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_));
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  add_extension(certificate.get(), NID_subject_alt_name, list);
  add_extension(certificate.get(), NID_ext_key_usage, "serverAuth");
  X509_sign(certificate.get(), key_, EVP_sha256());
  return {pem_of(certificate.get()), private_pem(key.get())};
}

KeyPair CertificateAuthority::for_user(const std::string& user, const std::vector<std::string>& groups,
                                       std::chrono::seconds lifetime) const {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get(), lifetime);
  add_name(certificate.get(), "CN", user);
  for (const std::string& group : groups) add_name(certificate.get(), "O", group);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_));
  add_extension(certificate.get(), NID_ext_key_usage, "clientAuth");
  X509_sign(certificate.get(), key_, EVP_sha256());
  return {pem_of(certificate.get()), private_pem(key.get())};
}

SigningKey make_signing_key() {
  const Key key = new_key();
  return {private_pem(key.get()), pem_of([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key.get()); })};
}

}  // namespace nodescout::test
