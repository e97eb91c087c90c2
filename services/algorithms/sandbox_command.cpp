// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/sandbox_command.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace waybill::services {

namespace {

namespace fs = std::filesystem;

/// What programs of the system expect to find. Not the whole of /etc: private keys lie there.
constexpr const char *readableSettings[] = {"/etc/alternatives",  "/etc/fonts",        "/etc/ld.so.cache",
                                            "/etc/localtime",     "/etc/magic",        "/etc/mime.types",
                                            "/etc/ImageMagick-6", "/etc/ImageMagick-7"};
/// Links into /usr on a merged system, folders on an older one.
constexpr const char *systemFolders[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

bool isWithin(const fs::path &path, const fs::path &folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

/// `path` without links and without a slash at the end.
fs::path real(const std::string &path) {
  std::error_code ignored; // what is not there is compared as it is written
  const auto found = fs::weakly_canonical(fs::absolute(path), ignored);
  const auto plain = (found.empty() ? fs::path(path) : found).lexically_normal();
  return plain.has_filename() ? plain : plain.parent_path();
}

/// All that programs may read and that holds programs.
std::vector<std::string> readableFolders(const Sandbox::Options &options) {
  std::vector<std::string> folders = {"/usr"};
  folders.insert(folders.end(), std::begin(systemFolders), std::end(systemFolders));
  folders.insert(folders.end(), std::begin(readableSettings), std::end(readableSettings));
  folders.insert(folders.end(), options.readOnly.begin(), options.readOnly.end());
  return folders;
}

bool isSegment(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 && isUtf8(name) &&
         !hasControlCharacters(name) && name.find('/') == std::string::npos;
}

void require(bool is, const std::string &what, const std::string &name) {
  if (!is) {
    throw Fault(FaultCode::Internal,
                "a program cannot be run with " + what + " called \"" + printable(name) +
                    "\": such a name is not safe; change it in the algorithm's file",
                name);
  }
}

void requireSafe(const std::string &inputName) {
  std::size_t from = 0;
  for (auto slash = inputName.find('/'); slash != std::string::npos; slash = inputName.find('/', from)) {
    require(isSegment(inputName.substr(from, slash - from)), "an input", inputName);
    from = slash + 1;
  }
  require(isSegment(inputName.substr(from)), "an input", inputName);
}

/// Grows bwrap's options by what is to be seen within.
class Mounts {
public:
  explicit Mounts(std::vector<std::string> &command) : command_(command) {}

  void readOnly(const std::string &file, const std::string &within) {
    makeFoldersTo(within);
    command_.insert(command_.end(), {"--ro-bind", file, within});
  }
  void symbolicLink(const std::string &target, const std::string &within) {
    command_.insert(command_.end(), {"--symlink", target, within});
  }
  void temporary(const std::string &within, std::uint64_t bytes) {
    command_.insert(command_.end(), {"--perms", "1777", "--size", std::to_string(bytes), "--tmpfs", within});
  }

private:
  /// What bwrap makes of itself is not open to other users.
  void makeFoldersTo(const std::string &within) {
    for (auto slash = within.find('/', 1); slash != std::string::npos; slash = within.find('/', slash + 1)) {
      if (made_.insert(within.substr(0, slash)).second) {
        command_.insert(command_.end(), {"--dir", within.substr(0, slash)});
      }
    }
  }

  std::vector<std::string> &command_;
  std::set<std::string> made_;
};

/// Where a program that is at `path` within is outside.
std::string outside(const Sandbox::Options &options, const std::string &path) {
  static constexpr std::string_view programs = "/programs/";
  return path.starts_with(programs) && !options.programs.empty() ? options.programs + "/" + path.substr(programs.size())
                                                                 : path;
}

/// The path within of the program `name`.
std::string programPath(const std::string &name) {
  return name.find('/') == std::string::npos ? "/usr/bin/" + name : name;
}

bool isShown(const Sandbox::Options &options, const std::string &file) {
  auto folders = readableFolders(options);
  if (!options.programs.empty()) {
    folders.push_back(options.programs);
  }
  const auto place = real(file);
  return std::any_of(folders.begin(), folders.end(), [&](const auto &folder) { return isWithin(place, real(folder)); });
}

/// By the user that programs run as.
bool isExecutable(const std::string &file, const struct stat &found) {
  return ::geteuid() != 0 ? ::access(file.c_str(), X_OK) == 0
                          : (found.st_mode & (found.st_uid == nobody ? S_IXUSR : S_IXOTH)) != 0;
}

void addSystem(Mounts &mounts) {
  mounts.readOnly("/usr", "/usr");
  for (const std::string folder : systemFolders) {
    if (fs::is_symlink(folder)) {
      mounts.symbolicLink(fs::read_symlink(folder).string(), folder);
    } else if (fs::exists(folder)) {
      mounts.readOnly(folder, folder);
    }
  }
  for (const std::string settings : readableSettings) {
    if (fs::exists(settings)) {
      mounts.readOnly(settings, settings);
    }
  }
}

void addEnvironment(const SandboxTask &task, std::vector<std::string> &command) {
  auto environment = task.environment;
  environment.insert({{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LC_ALL", "C.UTF-8"}});
  command.emplace_back("--clearenv");
  for (const auto &[name, value] : environment) {
    require(!name.empty() && name.find('=') == std::string::npos, "a variable", name);
    command.insert(command.end(), {"--setenv", name, value});
  }
}

void addMounts(const Sandbox::Options &options, const SandboxTask &task, std::vector<std::string> &command) {
  Mounts mounts(command);
  addSystem(mounts);
  command.insert(command.end(), {"--proc", "/proc", "--dev", "/dev"});
  // More than is allowed, so that a program which fails for want of room is seen to have used too much.
  constexpr std::uint64_t more = 1ULL << 20U;
  mounts.temporary("/dev/shm", task.limits.memory + more);
  mounts.temporary("/tmp", task.limits.memory + more);
  for (const auto &more : options.readOnly) {
    mounts.readOnly(more, more);
  }
  if (fs::is_directory(options.programs)) {
    mounts.readOnly(options.programs, "/programs");
  }
  command.insert(command.end(), {"--dir", "/in"});
  for (const auto &input : task.inputs) {
    requireSafe(input.name);
    mounts.readOnly(input.file, "/in/" + input.name);
  }
  // What bwrap made for itself is memory that no limit counts.
  command.insert(command.end(),
                 {"--bind", task.outFolder, "/out", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/out"});
}

} // namespace

std::string exposureOf(const Sandbox::Options &options) {
  const auto home = real(options.home);
  for (const auto &folder : readableFolders(options)) {
    const auto shown = real(folder);
    if (isWithin(home, shown) || isWithin(shown, home)) {
      return "algorithms may read " + folder + ", and the instance's home " + options.home + " is " +
             (isWithin(home, shown) ? "in it" : "around it") +
             ", where its keys are: take that folder out of the configuration, or move the home elsewhere";
    }
  }
  return {};
}

std::string whyNotRunnable(const Sandbox::Options &options, const std::string &program) {
  const auto path = programPath(program);
  if (isWithin(path, "/in") || isWithin(path, "/out")) {
    return {}; // the call brings it along
  }
  struct stat found {};
  const auto file = outside(options, path);
  const auto shown = printable(path);
  if (path.front() != '/' || ::stat(file.c_str(), &found) != 0) {
    return "there is no " + shown + " on this machine";
  }
  if (!S_ISREG(found.st_mode)) {
    return shown + " is no program, but a folder or a device";
  }
  if (!isShown(options, file)) {
    return shown + " is in no folder that algorithms may read (/usr, the algorithms' own programs/, and what the "
                   "setting algorithms.read_only names)";
  }
  return isExecutable(file, found)
             ? ""
             : shown + " may not be executed by the user that programs run as" + (::geteuid() == 0 ? " (nobody)" : "");
}

std::vector<std::string> sandboxCommand(const Sandbox::Options &options, const SandboxTask &task) {
  const bool asRoot = ::geteuid() == 0;
  require(!task.command.empty(), "a command", "");
  const auto &program = task.command.front();
  if (const auto why = whyNotRunnable(options, program); !why.empty()) {
    throw Fault(FaultCode::AlgorithmFailed,
                "the algorithm's program cannot be run: " + why +
                    "; ask the instance's operator to put that right, and run it again then");
  }
  std::vector<std::string> command = {options.bwrap,       "--unshare-user", "--unshare-all",
                                      "--die-with-parent", "--new-session",  "--hostname",
                                      "sandbox",           "--cap-drop",     "ALL"};
  addEnvironment(task, command);
  addMounts(options, task, command);
  const auto number = [](int descriptor) { return std::to_string(descriptor); };
  command.insert(command.end(),
                 {"--info-fd", number(SandboxDescriptors::info), "--json-status-fd", number(SandboxDescriptors::status),
                  "--seccomp", number(SandboxDescriptors::filter), "--block-fd", number(SandboxDescriptors::go)});
  if (asRoot) {
    // bwrap prepares everything as root, which may walk through the home; the program becomes nobody.
    command.insert(command.end(), {"--userns-block-fd", number(SandboxDescriptors::go), "--cap-add", "CAP_SETUID",
                                   "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP", "--", "/usr/bin/setpriv",
                                   "--reuid=" + std::to_string(nobody), "--regid=" + std::to_string(nobody),
                                   "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"});
  } else {
    command.insert(command.end(), {"--uid", std::to_string(nobody), "--gid", std::to_string(nobody)});
  }
  command.insert(command.end(), {"--", programPath(program)});
  command.insert(command.end(), task.command.begin() + 1, task.command.end());
  for (const auto &argument : command) {
    if (argument.find('\0') != std::string::npos) {
      throw Fault(FaultCode::BadParameter, "a program cannot be given a zero byte as an argument; take it out",
                  printable(argument));
    }
  }
  return command;
}

} // namespace waybill::services
