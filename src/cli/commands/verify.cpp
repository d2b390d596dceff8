#include "transfer/verify.hpp"

#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/pull.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 4> k_options{{
    {"--repair", Takes::nothing, "", "fetch again what is damaged", ""},
    {"--index", Takes::one_value, "URL", "accepted: pulling needs no index", "none"},
    {"--registry", Takes::one_value, "URL", "with --repair: registry to use", "Docker Hub"},
    {"--httpproxy", Takes::one_value, "URL", "with --repair: proxy, as pull takes it", "the environment's"},
}};

Result<transfer::ImageReport> verify(const Session& session, store::Store& store, const store::ImageName& name) {
  const InterruptScope interruptible;
  log::info("verifying: {}", name.text());
  transfer::VerifyOptions options;
  options.on_good = [](const std::string& part) { log::info("{} ok", part); };
  options.limits = session.config().limits;
  options.cancelled = interrupted;
  TRY_ASSIGN(auto report, transfer::verify_image(store, name, options));
  for (const auto& fault : report.faults) log::error("{}: {}", fault.part, fault.what);
  return report;
}

// Blobs by their digests where the manifest says them; without it the image as the registry has it now.
Result<> repair(Session& session, const store::ImageName& name, const transfer::ImageReport& report,
                const PullOptions& options) {
  if (!report.manifest) {
    TRY(pull_image(session, name.text(), options));
    return {};
  }
  std::vector<image::Descriptor> parts;
  for (const auto& fault : report.faults) {
    if (!fault.blob) return fail(Code::corrupt, fault.part + " cannot be repaired: " + fault.what);
    parts.push_back(*fault.blob);
  }
  return fetch_parts(session, name, *report.manifest, parts, options);
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "image:tag or repository/image:tag"));
  TRY_ASSIGN(store::Store * store, session.store());
  auto entry = image_entry(*store, arguments.words[0]);
  if (!entry) return fail(std::move(entry).error().context("selecting image and tag"));
  TRY_ASSIGN(auto report, verify(session, *store, entry->name));
  if (!report.faults.empty() && arguments.has("repair")) {
    if (auto done = repair(session, entry->name, report, pull_options(arguments)); !done)
      return fail(std::move(done).error().context("repairing " + entry->name.text()));
    TRY_ASSIGN(report, verify(session, *store, entry->name));
  }
  if (!report.faults.empty())
    return fail(Code::corrupt, "image verification failure: " + entry->name.text() +
                                   (arguments.has("repair") ? "" : " (verify --repair fetches again what is damaged)"));
  log::info("image Ok");
  return k_exit_ok;
}

}  // namespace

const Command k_verify{"verify", "IMAGE", "check that a local image is whole", k_options, Order::mixed, execute};

}  // namespace udk::cli
