# buffon_library(NAME DIR [SOURCES ...]): a library target buffon_NAME with alias buffon::NAME, all sources found below
# DIR/src, all public headers below DIR/include; a new method is two new files and no edit here.
function(buffon_library name)
  cmake_parse_arguments(arg "" "HEADER_DIR" "SOURCE_DIRS;HEADER_MODULES" ${ARGN})
  set(sources)
  foreach(dir IN LISTS arg_SOURCE_DIRS)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${dir}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  set(headers)
  foreach(module IN LISTS arg_HEADER_MODULES)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${arg_HEADER_DIR}/buffon/${module}/*.hpp" "${arg_HEADER_DIR}/buffon/${module}/*.h")
    list(APPEND headers ${found})
  endforeach()
  # Sources named *.kernels.cpp are compiled once per instruction set (see lib/CMakeLists.txt), not here.
  list(FILTER sources EXCLUDE REGEX "\\.kernels\\.cpp$")
  add_library(buffon_${name} ${sources})
  add_library(buffon::${name} ALIAS buffon_${name})
  set_target_properties(buffon_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME buffon_${name} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} POSITION_INDEPENDENT_CODE ON)
  target_sources(buffon_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${arg_HEADER_DIR}" FILES ${headers})
  buffon_compile_settings(buffon_${name})
  list(LENGTH sources count)
  if(count GREATER 8)
    buffon_precompile(buffon_${name})
  endif()
  buffon_unite(buffon_${name})
  target_compile_features(buffon_${name} PUBLIC cxx_std_20)
endfunction()

# Several sources in one compilation: half of the build time. Names in the anonymous namespaces of one folder are therefore distinct.
function(buffon_unite target)
  if(BUFFON_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# Headers that most sources of a target include, compiled once for all of them: a quarter of the build time. Every source
# still includes what it uses; the tsan preset builds without this and tells.
function(buffon_precompile target)
  if(BUFFON_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} PRIVATE <Eigen/Core> <algorithm> <cmath> <cstdint> <functional> <memory> <optional> <string> <utility> <vector> ${ARGN})
  endif()
endfunction()

# The settings of every target of ours. Contraction is off everywhere: a fused multiply-add would change bits between
# machines; errno and traps are not used.
function(buffon_compile_settings target)
  target_compile_options(${target} PRIVATE -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(BUFFON_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
endfunction()
