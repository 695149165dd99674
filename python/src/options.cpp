#include "options.hpp"

#include "cli/choices.hpp"
#include "nearest_name.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::python {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::invalid_options, message); }

[[noreturn]] void fail_type(std::string_view name, nb::handle value, std::string_view wants) {
    throw nb::type_error(fmt::format("{}: got {}, wants {}", name, nb::repr(value).c_str(), wants).c_str());
}

bool is_whole(nb::handle value) { return PyIndex_Check(value.ptr()) && !PyBool_Check(value.ptr()); }

class Reader {
public:
    explicit Reader(const nb::dict& given) : given_(given) {}

    bool has(const char* name) const { return find(name).is_valid(); }

    template <typename Whole>
    void whole(const char* name, Whole& value) {
        const nb::object object = take(name);
        if (!object.is_valid()) return;
        if (!is_whole(object)) fail_type(name, object, "a whole number");
        const nb::object number = nb::steal(PyNumber_Index(object.ptr()));
        if (!number.is_valid()) throw nb::python_error();
        if (nb::try_cast(number, value)) return;
        fail(fmt::format("{}: got {}, must be from {} to {}", name, nb::repr(number).c_str(),
                         std::numeric_limits<Whole>::min(), std::numeric_limits<Whole>::max()));
    }

    void real(const char* name, double& value) {
        const nb::object object = take(name);
        if (!object.is_valid()) return;
        if (PyBool_Check(object.ptr()) || !PyNumber_Check(object.ptr())) fail_type(name, object, "a number");
        value = PyFloat_AsDouble(object.ptr());
        if (PyErr_Occurred()) {
            PyErr_Clear();
            fail_type(name, object, "a number");
        }
    }

    template <typename Value, std::size_t count>
    void choice(const char* option, const std::array<Value, count>& values, Value& value) {
        const nb::object object = take(option);
        if (!object.is_valid()) return;
        if (!PyUnicode_Check(object.ptr())) fail_type(option, object, "a str");
        Py_ssize_t size = 0;
        const char* utf8 = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
        if (!utf8) throw nb::python_error();
        const std::string_view text(utf8, static_cast<std::size_t>(size));
        const std::vector<std::string_view> names = cli::names_of(values);
        for (std::size_t i = 0; i < count; ++i) {
            if (text == names[i]) {
                value = values[i];
                return;
            }
        }
        const std::string_view other = cli::other_name(option, text);
        const std::string_view meant = other.empty() ? nearest_name(text, names) : other;
        fail(fmt::format("{}: got \"{}\", wants {}{}", option, text, one_of(names),
                         meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
    }

    /// Throws when a name was not asked for.
    void finish() const {
        for (const auto& [key, value] : given_) {
            const nb::str name(key);
            if (std::find(known_.begin(), known_.end(), std::string_view(name.c_str())) != known_.end())
                continue;
            const std::string_view meant = nearest_name(name.c_str(), known_);
            throw nb::type_error(fmt::format("there is no option {}{}", nb::repr(key).c_str(),
                                             meant.empty() ? "" : fmt::format("; did you mean {}?", meant))
                                     .c_str());
        }
    }

private:
    static std::string one_of(const std::vector<std::string_view>& names) {
        std::string text;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
            text += names[i];
        }
        return text;
    }

    nb::object find(const char* name) const {
        if (!given_.contains(name)) return {};
        nb::object value = given_[name];
        return value.is_none() ? nb::object() : value;
    }

    nb::object take(const char* name) {
        known_.emplace_back(name);
        return find(name);
    }

    const nb::dict& given_;
    std::vector<std::string_view> known_;
};

/// Knobs of one index are a mistake when another was chosen.
void read_knobs(Reader& reader, LinkOptions& options) {
    const auto knob = [&](const char* option, IndexKind owner, std::int64_t& value) {
        reader.whole(option, value);
        if (reader.has(option) && options.index != owner) {
            fail(fmt::format("{} goes with index \"{}\" only, got index \"{}\"", option, name(owner),
                             name(options.index)));
        }
    };
    knob("nlist", IndexKind::ivf, options.ivf.nlist);
    knob("nprobe", IndexKind::ivf, options.ivf.nprobe);
    knob("hnsw_m", IndexKind::hnsw, options.hnsw.M);
    knob("ef_construction", IndexKind::hnsw, options.hnsw.ef_construction);
    knob("ef_search", IndexKind::hnsw, options.hnsw.ef_search);
    knob("passes", IndexKind::partition, options.partition.passes);
    knob("fanout", IndexKind::partition, options.partition.fanout);
    knob("refinements", IndexKind::partition, options.partition.refinements);
    // Given refinements hold the effort, as given passes do.
    if (reader.has("refinements") && options.partition.passes == 0) options.partition.passes = 1;
}

}  // namespace

LinkOptions options_of(const nb::dict& given) {
    LinkOptions options;
    Reader reader(given);
    reader.whole("n_nearest", options.n_nearest);
    reader.choice("metric", cli::metrics, options.metric);
    reader.choice("similarity", cli::similarities, options.similarity);
    reader.real("similarity_min", options.similarity_min);
    reader.real("similarity_min_q", options.similarity_min_q);
    reader.choice("quantile_scope", cli::quantile_scopes, options.quantile_scope);
    reader.choice("links", cli::link_modes, options.links);
    reader.choice("index", cli::index_kinds, options.index);
    reader.real("recall_target", options.recall_target);
    read_knobs(reader, options);
    reader.choice("on_bad_row", cli::bad_row_policies, options.on_bad_row);
    reader.whole("seed", options.seed);
    reader.whole("threads", options.threads);
    reader.whole("memory", options.memory_bytes);
    reader.finish();
    validate(options);
    return options;
}

void bind_options(nb::module_& module) {
    module.def(
        "check_options", [](const nb::dict& options) { options_of(options); }, nb::arg("options"));
}

}  // namespace grouplink::python
