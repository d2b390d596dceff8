#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "registry/blob_fetch.hpp"
#include "registry/client.hpp"
#include "unit/registry/fake_registry.hpp"

namespace udk::registry {
namespace {

using test::client;
using test::FakeContent;
using test::HttpReply;
using test::HttpRequest;
using test::LoopbackServer;
using test::MemorySink;
using testing::HasSubstr;

// A recognisable text of some length.
std::string bytes(std::size_t size, unsigned seed = 1) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += std::to_string((i + seed) * 2654435761U) + "\n";
  return out.substr(0, size);
}

image::Descriptor layer(const std::string& data) {
  return {"application/vnd.oci.image.layer.v1.tar", image::Digest::of(data), data.size(), {}, {}, {}, std::nullopt};
}

Result<> fetch(const LoopbackServer& server, const image::Descriptor& descriptor, MemorySink& sink) {
  auto c = client(server);
  return test::fetch_blob(c, "a/b", descriptor, sink);
}

TEST(Blob, ResumesBrokenConnections) {
  auto data = bytes(1 << 20);
  std::atomic<int> cuts = 0;
  LoopbackServer server([&](const HttpRequest& request) {
    auto reply = FakeContent::ranged(request, data);
    if (cuts++ < 3) reply.cut_after = 200'000;
    return reply;
  });
  MemorySink sink;
  auto result = fetch(server, layer(data), sink);
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(sink.data, data);
  EXPECT_EQ(sink.restarts, 0U);
  auto asked = server.requests();
  ASSERT_EQ(asked.size(), 4U);
  EXPECT_EQ(asked[0].header("range"), "");
  EXPECT_EQ(asked[1].header("range"), "bytes=200000-");
  EXPECT_EQ(asked[1].header("if-range"), "\"tag\"");
}

TEST(Blob, ManyBreaksAreFineAsLongAsBytesArrive) {
  auto data = bytes(2 << 20);
  LoopbackServer server([&](const HttpRequest& request) {
    auto reply = FakeContent::ranged(request, data);
    reply.cut_after = 100'000;
    if (reply.body.size() <= 100'000) reply.cut_after = std::nullopt;
    return reply;
  });
  MemorySink sink;
  ASSERT_TRUE(fetch(server, layer(data), sink));
  EXPECT_EQ(sink.data, data);
}

TEST(Blob, StalledTransfersAreCutAndTriedAgain) {
  auto data = bytes(5000);
  std::atomic<int> stalls = 1;
  LoopbackServer server([&](const HttpRequest& request) {
    auto reply = FakeContent::ranged(request, data);
    if (stalls-- > 0) reply.stall_after = 0;
    return reply;
  });
  auto options = test::quick_options(server.url());
  options.stall_timeout = std::chrono::seconds(1);
  auto c = Client::create(options);
  MemorySink sink;
  auto result = test::fetch_blob(*c, "a/b", layer(data), sink);
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(sink.data, data);
}

TEST(Blob, GivesUpWhenNothingArrives) {
  auto data = bytes(1000);
  LoopbackServer server([&](const HttpRequest& request) {
    auto reply = FakeContent::ranged(request, data);
    reply.cut_after = 0;
    return reply;
  });
  MemorySink sink;
  auto result = fetch(server, layer(data), sink);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::network);
  EXPECT_THAT(result.error().text, HasSubstr("layer " + layer(data).digest.text()));
  EXPECT_EQ(server.requests().size(), 5U);
}

TEST(Blob, ContinuesWhatAnEarlierProcessLeft) {
  auto data = bytes(5000);
  LoopbackServer server([&](const HttpRequest& request) { return FakeContent::ranged(request, data); });
  MemorySink sink;
  sink.data = data.substr(0, 1234);
  ASSERT_TRUE(fetch(server, layer(data), sink));
  EXPECT_EQ(sink.data, data);
  EXPECT_EQ(server.requests()[0].header("range"), "bytes=1234-");
}

TEST(Blob, RestartsWhenTheServerKnowsNoRanges) {
  auto data = bytes(5000);
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{200, {}, data, {}}; });
  MemorySink sink;
  sink.data = "xyz";
  ASSERT_TRUE(fetch(server, layer(data), sink));
  EXPECT_EQ(sink.data, data);
  EXPECT_EQ(sink.restarts, 1U);
}

TEST(Blob, WholeAlreadyMeansNoRequest) {
  auto data = bytes(500);
  LoopbackServer server([&](const HttpRequest& request) { return FakeContent::ranged(request, data); });
  MemorySink sink;
  sink.data = data;
  ASSERT_TRUE(fetch(server, layer(data), sink));
  EXPECT_TRUE(server.requests().empty());
  MemorySink stale;
  stale.data = std::string(500, 'x');
  ASSERT_TRUE(fetch(server, layer(data), stale));
  EXPECT_EQ(stale.data, data);
  EXPECT_EQ(server.requests().size(), 1U);
  MemorySink longer;
  longer.data = std::string(501, 'x');
  ASSERT_TRUE(fetch(server, layer(data), longer));
  EXPECT_EQ(longer.data, data);
}

TEST(Blob, EmptyBlob) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{}; });
  MemorySink sink;
  EXPECT_TRUE(fetch(server, layer(""), sink));
  auto lie = layer("x");
  lie.size = 0;
  EXPECT_EQ(fetch(server, lie, sink).error().code, Code::corrupt);
}

TEST(Blob, WrongRangesAreNotTaken) {
  auto data = bytes(5000);
  std::atomic<int> lies = 0;
  for (const char* range : {"bytes 0-4999/5000", "bytes 1235-4999/5000", "bytes 1234-4999/9999", "", "garbage"}) {
    lies = 1;
    LoopbackServer server([&](const HttpRequest& request) {
      auto reply = FakeContent::ranged(request, data);
      if (lies-- > 0) {
        reply.headers.pop_back();
        reply.headers.emplace_back("Content-Range", range);
      }
      return reply;
    });
    MemorySink sink;
    sink.data = data.substr(0, 1234);
    ASSERT_TRUE(fetch(server, layer(data), sink)) << range;
    EXPECT_EQ(sink.data, data) << range;
    EXPECT_EQ(sink.restarts, 1U) << range;
  }
}

TEST(Blob, UnsatisfiableRangeStartsAnew) {
  auto data = bytes(5000);
  LoopbackServer server([&](const HttpRequest& request) {
    return request.header("range").empty() ? HttpReply{200, {}, data, {}} : HttpReply{416, {}, "", {}};
  });
  MemorySink sink;
  sink.data = "abc";
  ASSERT_TRUE(fetch(server, layer(data), sink));
  EXPECT_EQ(sink.data, data);
}

TEST(Blob, WrongBytesOnceAreFetchedAgain) {
  auto data = bytes(5000);
  std::atomic<int> lies = 1;
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{200, {}, lies-- > 0 ? bytes(5000, 7) : data, {}}; });
  MemorySink sink;
  ASSERT_TRUE(fetch(server, layer(data), sink));
  EXPECT_EQ(sink.data, data);
  EXPECT_EQ(sink.restarts, 1U);
}

TEST(Blob, WrongBytesTwiceAreAnErrorThatNamesTheBlob) {
  auto data = bytes(5000);
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{200, {}, bytes(5000, 7), {}}; });
  MemorySink sink;
  auto result = fetch(server, layer(data), sink);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::corrupt);
  EXPECT_THAT(result.error().text, HasSubstr("layer " + layer(data).digest.text() + " from " + server.authority()));
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(Blob, WrongSizesAreCut) {
  auto data = bytes(5000);
  for (bool chunk : {false, true}) {
    for (std::size_t size : {4999U, 5001U, 500'000U}) {
      LoopbackServer server([&](const HttpRequest&) {
        HttpReply reply{200, {}, bytes(size), {}};
        reply.without_length = chunk;
        return reply;
      });
      MemorySink sink;
      auto result = fetch(server, layer(data), sink);
      ASSERT_FALSE(result) << size;
      EXPECT_LE(sink.data.size(), 5000U);
      // Too few bytes without a length look like a broken connection.
      auto expected = chunk && size < 5000 ? Code::network : Code::corrupt;
      EXPECT_EQ(result.error().code, expected) << result.error().text;
    }
  }
}

TEST(Blob, SinkErrorsEndTheFetch) {
  auto data = bytes(5000);
  LoopbackServer server([&](const HttpRequest& request) { return FakeContent::ranged(request, data); });
  MemorySink sink;
  sink.fails_with = Error(Code::no_space, "disk full");
  auto result = fetch(server, layer(data), sink);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::no_space);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Blob, CompletionErrorsEndTheFetch) {
  auto data = bytes(5000);
  LoopbackServer server([&](const HttpRequest& request) { return FakeContent::ranged(request, data); });
  MemorySink sink;
  BlobRequest request{layer(data), &sink, []() -> Result<> { return fail(Code::io, "no"); }, nullptr};
  EXPECT_EQ(client(server).fetch_blobs("a/b", {&request, 1}).error().code, Code::io);
}

TEST(Blob, DeniedBlobsAreAskedForOnce) {
  auto data = bytes(50);
  for (int status : {403, 404, 400}) {
    LoopbackServer server([&](const HttpRequest&) { return HttpReply{status, {}, "", {}}; });
    MemorySink sink;
    EXPECT_FALSE(fetch(server, layer(data), sink));
    EXPECT_EQ(server.requests().size(), 1U) << status;
  }
}

TEST(Blob, ForeignUrlsAreNotFollowed) {
  auto data = bytes(50);
  LoopbackServer elsewhere([&](const HttpRequest& request) { return FakeContent::ranged(request, data); });
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{404, {}, "", {}}; });
  auto foreign = layer(data);
  foreign.urls = {elsewhere.url() + "/blob"};
  MemorySink sink;
  auto result = fetch(server, foreign, sink);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text, HasSubstr("foreign layer"));
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST(Blob, ManyAtOnceWithProgress) {
  FakeContent content;
  std::vector<std::string> data;
  for (unsigned i = 0; i < 12; ++i) data.push_back(bytes(100'000 + i, i));
  for (const auto& d : data) content.add_blob(d);
  std::atomic<int> failures = 5;
  LoopbackServer server([&](const HttpRequest& request) {
    if (failures-- > 0) return HttpReply{503, {}, "", {}};
    return content.handle(request);
  });
  std::vector<MemorySink> sinks(data.size());
  std::vector<BlobRequest> requests;
  std::vector<std::uint64_t> progress(data.size());
  unsigned completed = 0;
  for (std::size_t i = 0; i < data.size(); ++i)
    requests.push_back({layer(data[i]), &sinks[i],
                        [&]() -> Result<> {
                          ++completed;
                          return {};
                        },
                        [&progress, i](std::uint64_t so_far) { progress[i] = so_far; }});
  auto result = client(server).fetch_blobs("a/b", requests);
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(completed, data.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    EXPECT_EQ(sinks[i].data, data[i]);
    EXPECT_EQ(progress[i], data[i].size());
  }
}

TEST(Blob, NothingToFetch) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{}; });
  EXPECT_TRUE(client(server).fetch_blobs("a/b", {}));
}

TEST(Blob, ContentRange) {
  auto range = parse_content_range("bytes 5-9/10");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 5U);
  EXPECT_EQ(range->last, 9U);
  EXPECT_EQ(range->total, 10U);
  EXPECT_EQ(parse_content_range("Bytes 5-9/*")->total, std::nullopt);
  for (const char* text : {"", "bytes", "bytes */10", "bytes 9-5/10", "bytes a-b/c", "bytes 5/10-9", "lines 5-9/10",
                           "bytes 5-9", "bytes 5-9/x", "bytes -5/10"})
    EXPECT_FALSE(parse_content_range(text)) << text;
}

}  // namespace
}  // namespace udk::registry
