#pragma once

#include "cli/command.hpp"

// One definition per file of this folder.
namespace udk::cli {

extern const Command k_clone;
extern const Command k_create;
extern const Command k_export;
extern const Command k_help;
extern const Command k_images;
extern const Command k_import;
extern const Command k_inspect;
extern const Command k_install;
extern const Command k_load;
extern const Command k_login;
extern const Command k_logout;
extern const Command k_manifest;
extern const Command k_mkrepo;
extern const Command k_name;
extern const Command k_protect;
extern const Command k_ps;
extern const Command k_pull;
extern const Command k_rename;
extern const Command k_rm;
extern const Command k_rmi;
extern const Command k_rmname;
extern const Command k_run;
extern const Command k_save;
extern const Command k_search;
extern const Command k_setup;
extern const Command k_showconf;
extern const Command k_tag;
extern const Command k_unprotect;
extern const Command k_verify;
extern const Command k_version;

}  // namespace udk::cli
