#include "job.hpp"

#include <cmath>

namespace grouplink::python {

void Bulletin::tell(const Progress& progress) {
    const std::lock_guard lock(mutex_);
    news_ = {std::string(progress.stage), std::llround(progress.done * static_cast<double>(progress.total)),
             progress.total};
    changed_.notify_all();
}

void Bulletin::tell_done() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
}

void Bulletin::wait_done() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_; });
}

std::pair<std::optional<Bulletin::News>, bool> Bulletin::wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [&] { return done_ || news_.has_value(); });
    return {std::exchange(news_, std::nullopt), done_};
}

void follow(Bulletin& bulletin, std::stop_source& stop, const nb::object& progress) {
    constexpr std::chrono::milliseconds a_look{50};  // how long Ctrl-C may go unheard
    try {
        for (bool done = false; !done;) {
            std::optional<Bulletin::News> news;
            {
                const nb::gil_scoped_release released;
                std::tie(news, done) = bulletin.wait(a_look);
            }
            if (PyErr_CheckSignals() != 0) throw nb::python_error();
            if (news) progress(news->stage.c_str(), news->done, news->total);
        }
    } catch (...) {
        stop.request_stop();
        const nb::gil_scoped_release released;
        bulletin.wait_done();
        throw;
    }
}

}  // namespace grouplink::python
