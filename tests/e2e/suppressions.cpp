// Suppressions of the sanitizers, built into every program that talks over the network, where it is built
// with a sanitizer: one reason for each entry. libcpprest is not built with sanitizers, and has its own faults.

extern "C" {
const char* __tsan_default_suppressions();
const char* __lsan_default_suppressions();

// Giving up a request: pplx cancels in our thread while the request ends in one of libcpprest's, whose counts of
// shared_ptrs and locks of destructors ThreadSanitizer does not see.
__attribute__((visibility("default"))) const char* __tsan_default_suppressions() {
  return "race:pplx::details::_CancellationTokenCallback\n"
         "race:pplx::details::_CancellationTokenState\n"
         "race:web::http::client::details::asio_context::~asio_context\n";
}

// libcpprest: 32 bytes for each tunnel through a proxy with a password: its zero_memory_deleter does not delete.
// libcrypto: what it keeps for each thread of libcpprest's pool, which live until the process ends, after libcrypto's
// own clean-up where that was loaded with the module.
__attribute__((visibility("default"))) const char* __lsan_default_suppressions() {
  return "leak:libcpprest.so\nleak:libcrypto.so\n";
}
}
