#include "io/atomic_file.hpp"

#include "io/outputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>

using namespace grouplink;
using namespace grouplink::test;
using io::AtomicFile;

TEST_CASE("an output appears whole, or not at all") {
    const Folder folder;
    const std::string path = folder / "a.csv";
    {
        AtomicFile file(path, false);
        file.write("half");
        CHECK_FALSE(std::filesystem::exists(path));
    }
    CHECK(folder.files() == 0);
    AtomicFile file(path, false);
    const std::string large(3'000'000, 'x');
    file.write("head");
    file.write(large);
    file.write("tail");
    CHECK(file.position() == 3'000'008);
    file.patch(0, "HE");
    file.commit();
    CHECK(read(path) == "HEad" + large + "tail");
    CHECK(folder.files() == 1);
}

TEST_CASE("nothing is replaced without force, even what came meanwhile") {
    const Folder folder;
    const std::string path = folder / "a.csv";
    {
        AtomicFile file(path, false);
        file.write("new");
        put(path, "old");
        const auto [code, text] = error_of([&] { file.commit(); });
        CHECK(code == ErrorCode::io);
        CHECK(text == path + ": exists already; pass --force to replace it");
    }
    CHECK(read(path) == "old");
    CHECK(folder.files() == 1);
    CHECK(error_of([&] { AtomicFile(path, false); }).second ==
          path + ": exists already; pass --force to replace it");
    AtomicFile file(path, true);
    file.write("new");
    CHECK(read(path) == "old");
    file.commit();
    CHECK(read(path) == "new");
    CHECK(folder.files() == 1);
}

TEST_CASE("the mode follows the umask") {
    const Folder folder;
    const mode_t old = ::umask(027);
    write_text(folder / "a", "x", false);
    ::umask(old);
    struct stat info {};
    REQUIRE(::stat((folder / "a").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("symbolic links are followed, dangling ones refused") {
    const Folder folder;
    put(folder / "real", "old");
    std::filesystem::create_symlink("real", folder / "link");
    std::filesystem::create_symlink("nowhere", folder / "dangling");
    CHECK(error_of([&] { write_text(folder / "link", "new", false); }).first == ErrorCode::io);
    write_text(folder / "link", "new", true);
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(read(folder / "real") == "new");
    const auto [code, text] = error_of([&] { write_text(folder / "dangling", "new", true); });
    CHECK(code == ErrorCode::io);
    CHECK(text.find("symbolic link to a file that does not exist") != std::string::npos);
    CHECK(folder.files() == 3);
}

TEST_CASE("places that are no files") {
    const Folder folder;
    const auto text_of = [](const std::string& path) {
        const auto [code, text] = error_of([&] { write_text(path, "x", true); });
        CHECK(code == ErrorCode::io);
        return text;
    };
    CHECK(text_of(folder.path()) == folder.path() + ": is a folder; name a file");
    CHECK(text_of("/dev/null") == "/dev/null: is not a regular file; name another");
    CHECK(text_of(folder / "no/a").find("there is no folder") != std::string::npos);
    put(folder / "file", "");
    CHECK(text_of(folder / "file/a").find("there is no folder") != std::string::npos);
    CHECK(text_of(folder / "new/").find("there is no folder") != std::string::npos);
    CHECK(error_of([&] { write_text("", "x", true); }).first == ErrorCode::invalid_options);
    write_text(folder / std::string(255, 'n'), "x", false);
    CHECK(read(folder / std::string(255, 'n')) == "x");
    CHECK(text_of(folder / std::string(256, 'n')).find("File name too long") != std::string::npos);
}

TEST_CASE("a folder that may not be written to") {
    if (::geteuid() == 0) return;  // whom no mode stops
    const Folder folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
    CHECK(error_of([&] { write_text(folder / "a", "x", false); }).second ==
          (folder / "a") + ": cannot write to its folder: Permission denied");
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
}

TEST_CASE("a folder that goes away") {
    const Folder folder;
    std::filesystem::create_directory(folder / "in");
    AtomicFile file(folder / "in/a", false);
    file.write("x");
    std::filesystem::remove_all(folder / "in");
    CHECK(error_of([&] { file.commit(); }).second ==
          (folder / "in/a") + ": cannot write: No such file or directory");
}

TEST_CASE("a target that goes away, and one that becomes a folder") {
    const Folder folder;
    put(folder / "a", "old");
    AtomicFile gone(folder / "a", true);
    std::filesystem::remove(folder / "a");
    gone.write("new");
    gone.commit();
    CHECK(read(folder / "a") == "new");
    {
        AtomicFile blocked(folder / "a", true);
        std::filesystem::remove(folder / "a");
        std::filesystem::create_directory(folder / "a");
        CHECK(error_of([&] { blocked.commit(); }).first == ErrorCode::io);
    }
    CHECK(folder.files() == 1);
}

TEST_CASE("a device without room") {
    const int full = ::open("/dev/full", O_WRONLY);
    REQUIRE(full >= 0);
    const auto [code, text] = error_of([&] { io::write_fully(full, "x", "out.npz"); });
    ::close(full);
    CHECK(code == ErrorCode::io);
    CHECK(text == "out.npz: cannot write: No space left on device");
}
