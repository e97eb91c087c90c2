# SPDX-License-Identifier: GPL-3.0-or-later
# cmake -DFILES=<a;b;...> -DOUTPUT=<x.cpp> -P embed.cmake: writes a C++ file that holds the text of the files.
set(entries "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  if(text MATCHES "\\)waybill\"")
    message(FATAL_ERROR "${file} holds the text )waybill\", which ends the string literal it is put into")
  endif()
  string(APPEND entries "    {\"${name}\", R\"waybill(${text})waybill\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"generated/contract_files.hpp\"

#include <array>

namespace waybill::generated {

namespace {

constexpr auto files = std::to_array<ContractFile>({
${entries}});

} // namespace

std::span<const ContractFile> contractFiles() noexcept { return files; }

} // namespace waybill::generated
")
