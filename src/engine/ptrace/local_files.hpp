#pragma once

namespace udk::engine {

// Whether the files at a host path are on this machine's own disk or in its memory, so that opening one does not wait
// for another machine. What is not known to be is not.
bool is_local(const char* host);

}  // namespace udk::engine
