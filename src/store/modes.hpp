#pragma once

namespace udk::store {

// Whether images and containers can be removed (the file PROTECT).
enum class Protection { off, on };
// Removal::force: whatever the modes of the files are, and on where a part cannot be removed.
// Removal::force_unused: the same for a container, unless somebody uses it.
enum class Removal { normal, force, force_unused };

}  // namespace udk::store
