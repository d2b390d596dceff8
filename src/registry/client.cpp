#include "registry/client.hpp"

#include <curl/curl.h>

#include "registry/blob_fetch.hpp"
#include "registry/login.hpp"
#include "registry/manifests.hpp"
#include "registry/search.hpp"
#include "registry/session.hpp"

namespace udk::registry {
namespace {

// Errors that say "there is nothing of that name for you".
bool is_absent(Code code) { return code == Code::not_found || code == Code::unauthorized || code == Code::denied; }

// The image as the registry knows it, for messages.
std::string shown(const image::Reference& reference, const std::string& repository) {
  return "image " + repository + (reference.digest() ? "@" : ":") + reference.remote_tag();
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  Session& session() { return *session_; }
  std::optional<SearchInterface> search_interface;  // the one that has answered

  struct Found {
    VerifiedDocument document;
    std::string repository;
  };

  [[nodiscard]] std::string repository_of(const image::Reference& reference) const {
    const auto& given = session_->options().repository;
    return given.empty() ? reference.remote_repository() : given;
  }

  // A lone name means Docker Hub's library/NAME. A registry of one's own may be a mirror of it or hold NAME itself.
  template <class Get>
  auto find(const image::Reference& reference, const Get& get) -> decltype(get(std::string())) {
    TRY(reference.check_remote());
    const auto repository = repository_of(reference);
    auto first = get(repository);
    const bool may_be_plain =
        repository == reference.remote_repository() && repository != reference.path() && !session_->is_docker_hub();
    if (first || !may_be_plain || !is_absent(first.error().code)) return first;
    auto second = get(reference.path());
    return second ? std::move(second) : std::move(first);
  }

  Result<Found> find_manifest(const image::Reference& reference) {
    return find(reference, [&](const std::string& repository) { return get(reference, repository); });
  }

 private:
  Result<Found> get(const image::Reference& reference, const std::string& repository) {
    TRY_ASSIGN(auto document, get_manifest(*session_, repository, reference.remote_tag(), reference.digest(),
                                           shown(reference, repository)));
    return Found{std::move(document), repository};
  }

  std::unique_ptr<Session> session_;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Client> Client::create(Options options) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return fail(Code::internal, "libcurl cannot be initialised");
  TRY_ASSIGN(auto session, Session::create(std::move(options)));
  return Client(std::make_unique<Impl>(std::move(session)));
}

Result<Fetched> Client::fetch_manifest(const image::Reference& reference) {
  TRY_ASSIGN(auto found, impl_->find_manifest(reference));
  return std::visit(
      [&](auto& document) {
        return Fetched{std::move(document.raw), std::move(document.media_type), std::move(found.document.digest)};
      },
      found.document.document);
}

Result<Resolved> Client::resolve(const image::Reference& reference, std::span<const image::Platform> wanted) {
  TRY_ASSIGN(auto found, impl_->find_manifest(reference));
  return descend(impl_->session(), found.repository, std::move(found.document), wanted,
                 shown(reference, found.repository));
}

Result<Resolved> Client::resolve(const image::Reference& reference, const image::Platform& platform) {
  return resolve(reference, std::span(&platform, 1));
}

Result<bool> Client::check_login() { return registry::check_login(impl_->session()); }

Result<SearchPage> Client::search(const SearchQuery& query) {
  for (const auto interface : {SearchInterface::v2, SearchInterface::v1}) {
    if (impl_->search_interface && *impl_->search_interface != interface) continue;
    TRY_ASSIGN(auto page, get_search_page(impl_->session(), interface, query));
    if (!page) continue;
    impl_->search_interface = interface;
    return std::move(*page);
  }
  return fail(Code::not_found, impl_->session().base().authority() + " has no search");
}

Result<> Client::fetch_blobs(const std::string& repository, std::span<BlobRequest> blobs) {
  return fetch_all(impl_->session(), repository, blobs);
}

Result<std::vector<std::string>> Client::list_tags(const image::Reference& reference) {
  return impl_->find(reference, [&](const std::string& repository) { return get_tags(impl_->session(), repository); });
}

std::string Client::repository_of(const image::Reference& reference) const { return impl_->repository_of(reference); }

}  // namespace udk::registry
