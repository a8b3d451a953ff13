// The two bodies of an exchange as cpprestsdk wants them: stream buffers of its own kind, each good for one direction.
//
// Its stock buffers would do for short answers. But they can be rewound, and cpprestsdk sends a rewindable request a
// second time, by itself, when a kept-alive connection breaks after the request went out: never right for a write. And
// they say neither that the request was asked for (so the server may have seen it) nor that a piece of the answer came.
#pragma once

#include <cpprest/astreambuf.h>
#include <cpprest/streams.h>
#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace nodescout {

/// What a buffer answers for everything that it does not support.
class OneWayBuffer : public concurrency::streams::details::streambuf_state_manager<std::uint8_t> {
 public:
  using streambuf_state_manager::streambuf_state_manager;

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  std::size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(std::size_t, std::ios_base::openmode) override {}
  std::size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode) const override { return nowhere(); }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return nowhere(); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override { return nowhere(); }
  bool acquire(std::uint8_t*&, std::size_t&) override { return false; }
  void release(std::uint8_t*, std::size_t) override {}

 protected:
  pplx::task<int_type> _putc(std::uint8_t) override { return pplx::task_from_result(traits::eof()); }
  pplx::task<std::size_t> _putn(const std::uint8_t*, std::size_t) override { return nothing(); }
  pplx::task<int_type> _bumpc() override { return pplx::task_from_result(traits::eof()); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return pplx::task_from_result(traits::eof()); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return pplx::task_from_result(traits::eof()); }
  pplx::task<int_type> _ungetc() override { return pplx::task_from_result(traits::eof()); }
  pplx::task<std::size_t> _getn(std::uint8_t*, std::size_t) override { return nothing(); }
  std::size_t _scopy(std::uint8_t*, std::size_t) override { return 0; }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  std::uint8_t* _alloc(std::size_t) override { return nullptr; }
  void _commit(std::size_t) override {}

 private:
  static pos_type nowhere() { return static_cast<pos_type>(traits::eof()); }
  static pplx::task<std::size_t> nothing() { return pplx::task_from_result<std::size_t>(0); }
};

/// A request's body. Cannot be rewound, and knows whether any of it was taken to be sent.
class OutgoingBody final : public OneWayBuffer {
 public:
  OutgoingBody(std::string text, std::function<void()> taken)
      : OneWayBuffer(std::ios_base::in), text_(std::move(text)), taken_(std::move(taken)) {}

 protected:
  pplx::task<std::size_t> _getn(std::uint8_t* into, std::size_t count) override {
    taken_();
    const std::size_t size = std::min(count, text_.size() - at_);
    std::memcpy(into, text_.data() + at_, size);
    at_ += size;
    return pplx::task_from_result(size);
  }

 private:
  const std::string text_;
  std::size_t at_ = 0;
  const std::function<void()> taken_;
};

/// An answer's body: passes each piece on as it comes, and reads on when the task that `take` returns is done. `gone`
/// is called when the library has let go of the exchange; its connection is then free for another one.
class IncomingBody final : public OneWayBuffer {
 public:
  using Take = std::function<pplx::task<std::size_t>(std::string_view)>;
  IncomingBody(Take take, std::function<void()> gone)
      : OneWayBuffer(std::ios_base::out), take_(std::move(take)), gone_(std::move(gone)) {}
  IncomingBody(const IncomingBody&) = delete;
  IncomingBody& operator=(const IncomingBody&) = delete;
  ~IncomingBody() override { gone_(); }

 protected:
  pplx::task<std::size_t> _putn(const std::uint8_t* data, std::size_t size) override {
    return take_({reinterpret_cast<const char*>(data), size});
  }

 private:
  const Take take_;
  const std::function<void()> gone_;
};

}  // namespace nodescout
