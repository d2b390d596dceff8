#include "engine/ptrace/call_stop.hpp"

namespace udk::engine {
Next on_socket_call(CallStop&) { return Next::as_is; }
void on_socket_exit(Run&, Task&, Registers&) {}
}  // namespace udk::engine
