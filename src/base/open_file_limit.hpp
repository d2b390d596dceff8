#pragma once

namespace udk {

// As many open files as the system lets this process have (RLIMIT_NOFILE).
void raise_open_file_limit();

}  // namespace udk
