// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/media_types.hpp"

#include "domain/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace waybill::cli {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;
/// Endings and types; of those of one type the usual one first.
constexpr std::array types{Pair{"bz2", "application/x-bzip2"},
                           Pair{"csv", "text/csv"},
                           Pair{"css", "text/css"},
                           Pair{"fits", "application/fits"},
                           Pair{"gif", "image/gif"},
                           Pair{"gz", "application/gzip"},
                           Pair{"h5", "application/x-hdf5"},
                           Pair{"html", "text/html"},
                           Pair{"htm", "text/html"},
                           Pair{"jpg", "image/jpeg"},
                           Pair{"jpeg", "image/jpeg"},
                           Pair{"js", "text/javascript"},
                           Pair{"json", "application/json"},
                           Pair{"md", "text/markdown"},
                           Pair{"mp4", "video/mp4"},
                           Pair{"nc", "application/x-netcdf"},
                           Pair{"pdf", "application/pdf"},
                           Pair{"png", "image/png"},
                           Pair{"svg", "image/svg+xml"},
                           Pair{"tar", "application/x-tar"},
                           Pair{"tif", "image/tiff"},
                           Pair{"tiff", "image/tiff"},
                           Pair{"tsv", "text/tab-separated-values"},
                           Pair{"txt", "text/plain"},
                           Pair{"xml", "application/xml"},
                           Pair{"xz", "application/x-xz"},
                           Pair{"yaml", "application/yaml"},
                           Pair{"yml", "application/yaml"},
                           Pair{"zip", "application/zip"},
                           Pair{"zst", "application/zstd"}};

} // namespace

std::optional<std::string> mediaTypeFor(std::string_view fileName) {
  const auto name = fileName.substr(fileName.rfind('/') + 1);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  const auto ending = lowerCase(name.substr(dot + 1));
  for (const auto &[known, type] : types) {
    if (known == ending) {
      return std::string(type);
    }
  }
  return std::nullopt;
}

std::string endingFor(std::string_view contentType) {
  const auto type = lowerCase(trimmed(contentType.substr(0, contentType.find(';'))));
  const auto found = std::find_if(types.begin(), types.end(), [&](const Pair &known) { return known.second == type; });
  return found == types.end() ? std::string() : "." + std::string(found->first);
}

std::string withEnding(const std::string &name, std::string_view contentType) {
  const auto ending = endingFor(contentType);
  return name.ends_with(ending) ? name : name + ending;
}

} // namespace waybill::cli
