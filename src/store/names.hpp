#pragma once

#include <string>
#include <string_view>

namespace udk::store {

// Whether a text from outside can be one file name: not empty, "." or "..", no slash, no control character, at most 255
// bytes.
bool is_file_name(std::string_view text);
// "[a-z0-9]+(-[a-z0-9]+){4}", the ids of containers.
bool is_container_id(std::string_view text);
// A name that a link of an image may have, so that what it points to can be deleted with the image: "sha256:HEX",
// "sha512:HEX", "HEX.layer", "HEX.json".
bool is_blob_name(std::string_view text);

// The text of a relative symlink in the directory `from` to `to`, both absolute (as Python's os.path.relpath).
std::string relative_path(const std::string& to, const std::string& from);

}  // namespace udk::store
