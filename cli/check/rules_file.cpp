// SPDX-License-Identifier: MIT
//
// Level 0: the file and its manifest, as bytes. Nothing of the driver runs.
#include "cli/check/elf_view.hpp"
#include "cli/check/rule.hpp"
#include "cli/check/subject.hpp"
#include "core/base/text.hpp"
#include "core/loader/elf.hpp"
#include "core/loader/manifest.hpp"
#include "core/loader/sha256.hpp"
#include "core/loader/trust.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::check {
namespace {

ElfView view_of(const Subject& subject) {
  auto view = ElfView::read(subject.job().path);
  if (!view) fail("{}: {}", subject.job().path, view.error());
  return std::move(*view);
}

void elf(Subject& subject) {
  const std::string& path = subject.job().path;
  const loader::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  expect(file.is_open() && ::fstat(file.fd(), &about) == 0, "{} cannot be read", path);
  const auto ok = loader::check_elf(file.fd(), static_cast<std::uint64_t>(about.st_size), path);
  if (!ok) fail_text(ok.error().message());
  // The system loads it without its section headers; they are what the rules below read.
  static_cast<void>(view_of(subject));
}

void trust(Subject& subject) {
  std::string reason;
  const auto checked = loader::open_checked(subject.job().path, true, &reason);
  if (!checked) fail_text(checked.error().message());
  expect(checked->has_value(), "{}: {}", subject.job().path, reason);
}

void one_symbol(Subject& subject) {
  const ElfView view = view_of(subject);
  bool has_entry = false;
  std::string others;
  for (const std::string& name : view.exported) {
    // An entry per major of the ABI; and what a sanitizer's run-time looks for.
    if (name.starts_with("weir_plugin_v")) {
      has_entry |= name == "weir_plugin_v1";
    } else if (!name.starts_with("__asan") && !name.starts_with("__odr_asan") &&
               !name.starts_with("__tsan")) {
      others += (others.empty() ? "" : ", ") + name;
    }
  }
  expect(has_entry, "weir_plugin_v1 is not exported");
  expect(others.empty(), "it exports {} besides weir_plugin_v1: hide it with a version script",
         others.substr(0, 400));
  std::string versions;
  for (const std::string& version : view.versions) {
    versions += (versions.empty() ? "" : ", ") + version;
  }
  note("needs {}", versions.empty() ? "no versioned library" : versions);
}

void text_relocations(Subject& subject) {
  expect(!view_of(subject).has_text_relocations,
         "it has text relocations: compile all of it with -fPIC");
}
void stack(Subject& subject) {
  expect(!view_of(subject).has_executable_stack,
         "it asks for an executable stack: link with -z noexecstack, and look for assembler files "
         "without a .note.GNU-stack section");
}
void static_tls(Subject& subject) {
  expect(!view_of(subject).has_static_tls,
         "it needs static TLS (DF_STATIC_TLS), of which a process has little: do not compile with "
         "-ftls-model=initial-exec");
}
void relro(Subject& subject) {
  const ElfView view = view_of(subject);
  expect(view.has_relro && view.binds_now, "it lacks {}: link with -z relro -z now",
         view.has_relro ? "BIND_NOW" : "RELRO");
}

void runpath(Subject& subject) {
  for (const std::string& entry : view_of(subject).runpath) {
    expect(entry.starts_with("/") || entry.starts_with("$ORIGIN"),
           "its RUNPATH has '{}', which depends on the directory of the process: write an absolute "
           "path or $ORIGIN",
           entry);
    struct stat about {};
    const bool open_to_others = entry.starts_with("/") && ::stat(entry.c_str(), &about) == 0 &&
                                (about.st_mode & S_IWOTH) != 0;
    expect(!open_to_others, "its RUNPATH has '{}', where everybody can put a library", entry);
  }
}

Result<loader::Manifest> manifest_of(const Subject& subject) {
  const std::string& path = subject.job().manifest;
  if (path.empty()) skip("no manifest beside the library names it");
  const loader::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto text = loader::read_all(file, loader::manifest_size_max);
  expect(text.has_value(), "{} cannot be read, or is larger than {} bytes", path,
         loader::manifest_size_max);
  return loader::parse_manifest(*text, path, "");
}

void manifest(Subject& subject) {
  const auto read = manifest_of(subject);
  if (!read) fail_text(read.error().message());
  for (const std::string& warning : read->warnings) note("{}", warning);
  expect(read->warnings.empty(), "a host warns about it: {}",
         read->warnings.empty() ? "" : read->warnings.front());
}

void sha256(Subject& subject) {
  const auto read = manifest_of(subject);
  if (!read) skip("the manifest cannot be read, which L0.manifest.reads says");
  if (read->sha256.empty()) skip("the manifest has no sha256 for this platform");
  const loader::File file(::open(subject.job().path.c_str(), O_RDONLY | O_CLOEXEC));
  constexpr std::size_t size_max = std::size_t{1} << 30U;
  const auto bytes = loader::read_all(file, size_max);
  expect(bytes.has_value(), "{} cannot be read", subject.job().path);
  loader::Sha256 hash;
  hash.add({reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size()});
  const std::string found = hash.finish();
  expect(found == lower_case(read->sha256), "the manifest's sha256 is {}, the library's is {}",
         read->sha256, found);
}

constexpr Rule table[] = {
    {"L0.file.elf", Grade::must, "D6", "The file is a whole shared object for this machine.",
     Needs::file, 0, "", elf, true},
    {"L0.file.trust", Grade::should, "D6",
     "Nobody but its owner and root can change the file or a directory above it.", Needs::file, 0,
     "", trust},
    {"L0.file.symbols", Grade::must, "D1", "The library exports weir_plugin_v1 and nothing else.",
     Needs::file, 0, "", one_symbol},
    {"L0.file.text_relocations", Grade::must, "D6",
     "Its code is the same wherever it is loaded: no text relocations.", Needs::file, 0, "",
     text_relocations},
    {"L0.file.stack", Grade::must, "D22", "It does not make the host's stacks executable.",
     Needs::file, 0, "", stack},
    {"L0.file.static_tls", Grade::must, "D2",
     "It takes no static thread-local storage, which a late library may not get.", Needs::file, 0,
     "", static_tls},
    {"L0.file.relro", Grade::should, "D2",
     "Its tables are read-only once it is loaded, all symbols bound.", Needs::file, 0, "", relro},
    {"L0.file.runpath", Grade::must, "D2",
     "Its own libraries are looked for where only the administrator can put any.", Needs::file, 0,
     "", runpath},
    {"L0.manifest.reads", Grade::must, "D7", "Its manifest can be read, to the last key.",
     Needs::file, 0, "", manifest},
    {"L0.manifest.sha256", Grade::must, "D7", "The sha256 in the manifest is the library's.",
     Needs::file, 0, "", sha256},
};

}  // namespace

std::span<const Rule> file_rules() noexcept { return table; }

}  // namespace weir::check
