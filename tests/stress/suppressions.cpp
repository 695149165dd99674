// libomp is a package, and not instrumented: the sanitizer sees the memset by which it clears what it keeps
// of a thread, but not the lock under which it does. Of our own code nothing is suppressed.

extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libomp.so\n"; }
