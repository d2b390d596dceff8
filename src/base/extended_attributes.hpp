#pragma once

namespace udk {

// Gives an open file the extended attributes of another one, as far as its file system and the user's rights let it.
void copy_extended_attributes(int from, int to);

}  // namespace udk
