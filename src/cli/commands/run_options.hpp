#pragma once

#include <array>

#include "cli/option.hpp"

namespace udk::cli {

// Options of `run`: the Python tool's, section "run" of docs/user-manual.md.
inline constexpr std::array<Option, 35> k_run_options{{
    {"-v,--volume", Takes::many_values, "HOST[:CONT[:ro]]", "make a host file or directory appear inside", ""},
    {"--novol", Takes::many_values, "PATH", "leave out a default volume", ""},
    {"--volumes-from", Takes::many_values, "CONTAINER[:ro]", "bind the declared volumes of another container", ""},
    {"-e,--env", Takes::many_values, "NAME[=VALUE]", "set a variable, or pass the host's", ""},
    {"--env-file", Takes::many_values, "FILE", "variables from a file, a line each", ""},
    {"--hostenv", Takes::nothing, "", "pass the host's environment", ""},
    {"-u,--user", Takes::one_value, "USER[:GROUP]", "names or numbers inside the container",
     "the image's user, else root"},
    {"--hostauth", Takes::nothing, "", "take users and groups of the host", ""},
    {"--containerauth", Takes::nothing, "", "use the container's passwd and group as they are", ""},
    {"-w,--workdir", Takes::one_value, "DIR", "working directory", "the image's"},
    {"--entrypoint", Takes::one_value, "WORDS", "replace the image's entrypoint; empty: neither entrypoint nor command",
     "the image's"},
    {"--nosysdirs", Takes::nothing, "", "no default volumes", ""},
    {"--bindhome", Takes::nothing, "", "make the home directory appear inside", ""},
    {"--dri", Takes::nothing, "", "make the host's dri directories appear inside", ""},
    {"--nometa", Takes::nothing, "", "ignore the image's user, environment, directory and command", ""},
    {"--cpuset-cpus", Takes::one_value, "LIST", "processors to run on, as 0-3,7", "all that udocker may use"},
    {"--kernel", Takes::one_value, "RELEASE", "kernel release to show", "the host's"},
    {"--name", Takes::one_value, "NAME", "give the container this name", ""},
    {"--rm", Takes::nothing, "", "delete the container afterwards", ""},
    {"--location", Takes::one_value, "DIR", "run this directory tree instead of a container", ""},
    {"--pull", Takes::one_value, "WHEN", "missing, never, always or reuse", "missing"},
    {"--platform", Takes::one_value, "OS/ARCH[/VARIANT]", "platform to pull", "this machine's"},
    {"--index", Takes::one_value, "URL", "accepted: pulling needs no index", "none"},
    {"--registry", Takes::one_value, "URL", "registry to pull from", "Docker Hub"},
    {"--httpproxy", Takes::one_value, "URL", "proxy to pull through: http, socks4, socks4a, socks5, socks5h",
     "the environment's"},
    {"--nobanner", Takes::nothing, "", "do not announce the start", ""},
    {"-i,--interactive", Takes::nothing, "", "accepted: standard input is always passed", ""},
    {"-t,--tty", Takes::nothing, "", "accepted: the terminal is always passed", ""},
    {"-a,--attach", Takes::nothing, "", "accepted: the streams are always passed", ""},
    {"--dns", Takes::many_values, "ADDRESS", "name server for the container", "the host's"},
    {"--dns-search", Takes::many_values, "DOMAIN", "search domain for the container", "the host's"},
    {"-p,--publish", Takes::many_values, "[IP:]HOST:CONT[/udp]",
     "make a port of the container another port of the host", ""},
    {"-P,--publish-all", Takes::nothing, "", "make every port of the container a free port of the host", ""},
    {"--netcoop", Takes::nothing, "", "the same as --publish-all", ""},
    {"--device", Takes::many_values, "PATH", "for R modes; other modes show the whole /dev", ""},
}};

}  // namespace udk::cli
