// SPDX-License-Identifier: GPL-3.0-or-later
// catalog_fill CATALOG COUNT OWNER: puts rows of that many objects into a catalog, through the storage interface, 1,000
// to a folder
// (/bench/NNNN/NNNN.dat). There is no content behind them: they are for measuring List.
#include "domain/clock.hpp"
#include "domain/random.hpp"
#include "security/instance_key.hpp"
#include "storage/catalog.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace {

using namespace waybill;

storage::ObjectRow row(long number, const std::string &owner, Random &random, Time now) {
  char path[64];
  std::snprintf(path, sizeof path, "/bench/%04ld/%04ld.dat", number / 1000, number % 1000);
  storage::ObjectRow row;
  row.id = randomId(random);
  row.path = path;
  row.owner = owner;
  row.size = 10'000;
  row.sha256 = row.id + row.id;
  row.adler32 = row.id.substr(0, 8);
  row.contentType = "application/octet-stream";
  row.created = now;
  return row;
}

void fill(const std::string &file, long count, const std::string &owner) {
  const SystemClock clock;
  security::SystemRandom random;
  const auto catalog = storage::openSqliteCatalog(file, clock);
  constexpr long group = 10'000;
  for (long begin = 0; begin < count; begin += group) {
    catalog->commit(storage::Durability::Relaxed, [&](storage::Transaction &transaction) {
      for (long n = begin; n < std::min(begin + group, count); ++n) {
        transaction.insert(row(n, owner, random, clock.now()));
      }
    });
  }
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    std::cerr << "usage: catalog_fill CATALOG COUNT OWNER\n";
    return 2;
  }
  try {
    fill(argv[1], std::stol(argv[2]), argv[3]);
  } catch (const std::exception &error) {
    std::cerr << "catalog_fill: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
