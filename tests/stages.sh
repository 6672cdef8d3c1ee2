# shellcheck shell=bash disable=SC2154
# The stages of `./dev test`, which reads this file. Each runs in a shell of its own with -e; exit code
# 77 means that it cannot run here. Stages that run ctest leave a JUnit file, whose tests are counted;
# any other stage counts as one test.

check_with_ctest() { # check_with_ctest PRESET [CTEST ARGUMENT...]
  local preset=$1
  shift
  build "$preset"
  ctest --preset "$preset" -j "$jobs" --output-junit "$PWD/$logs/$preset.xml" "$@"
}

stage_release() { check_with_ctest release; }
stage_clang() { build clang; }
stage_asan() { check_with_ctest asan -LE 'lint|abi|measured'; } # measured: by time, not by memory

stage_tsan() { # it sees a race in 8 of 10 runs: hence several
  configure tsan
  ctest --test-dir build/tsan -N -L threads | grep 'Total Tests: 0' >/dev/null && exit 77
  export TSAN_OPTIONS=halt_on_error=1 # a program that a test drives says it by ending
  check_with_ctest tsan -L threads --repeat until-fail:3
}

stage_crash() { # two at a time
  local kills=500 histories=500000 folder=build/release/tests/crash one result=0 jobs=()
  [ "$fuzz_seconds" -gt 2 ] || { kills=50 histories=50000; }
  "$folder/disk/crash_disk" --histories "$histories" & jobs+=($!)
  { "$folder/disk/crash_disk" --histories "$histories" --seed 1000000000 &&
    "$folder/kill/crash_kill" --cycles "$kills"; } & jobs+=($!)
  for one in "${jobs[@]}"; do wait "$one" || result=1; done
  return "$result"
}

stage_format() { check_format; }
stage_house() { check_house; }
stage_docs() { docs; }
stage_shell() { check_shell; }
stage_tidy() { check_tidy; }
stage_sdk() { tests/install/check.sh build/release; }
stage_package() { tests/install/package.sh build/release; }
stage_readme() { python3 tests/install/readme.py .; }
stage_fuzz() { fuzz all "$fuzz_seconds"; }

passed=0
failed=0

count_junit() { # count_junit FILE: adds its tests to the totals; false if none of them failed
  local tests failures skipped disabled
  tests=$(grep -om1 '\btests="[0-9]*"' "$1" | tr -dc 0-9)
  failures=$(grep -om1 '\bfailures="[0-9]*"' "$1" | tr -dc 0-9)
  skipped=$(grep -om1 '\bskipped="[0-9]*"' "$1" | tr -dc 0-9)
  disabled=$(grep -om1 '\bdisabled="[0-9]*"' "$1" | tr -dc 0-9)
  passed=$((passed + tests - failures - skipped - disabled))
  failed=$((failed + failures))
  [ "$failures" -gt 0 ]
}

count() { # count JUNIT RESULT: what a stage adds to the totals
  if [ -f "$1" ]; then
    count_junit "$1" || [ "$2" -eq 0 ] || failed=$((failed + 1))
  elif [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
  elif [ "$2" -ne 77 ]; then
    failed=$((failed + 1))
  fi
}

stage() { # stage NAME TITLE: never the condition of an `if`, which would switch -e off inside
  local name=$1 start=$SECONDS result verdict
  local log="$logs/stage-$name.log" junit="$logs/$name.xml"
  say "== $2"
  rm -f "$junit"
  set +e
  (set -e; "stage_$name") >"$log" 2>&1
  result=$?
  set -e
  count "$junit" "$result"
  case $result in
    0) verdict=ok ;;
    77) verdict="skipped: cannot run here, see $log" ;;
    *) verdict=FAILED; tail -n 80 "$log"; say "   all of it: $log" ;;
  esac
  say "   $verdict ($((SECONDS - start)) s)"
}

run_stages() { # run_stages FUZZ_SECONDS: all of them, also after one that failed
  fuzz_seconds=$1
  mkdir -p "$logs"
  stage release "release build and tests"
  stage crash "a hub that is killed, and simulated power cuts"
  stage format "format"
  stage house "floors, file lengths, left-behind marks"
  stage shell "shell scripts"
  stage docs "links and manuals"
  stage sdk "the installed SDK"
  stage package "the Debian package"
  stage readme "commands of the README and the guides"
  stage clang "build with clang"
  stage asan "tests under address and undefined-behaviour sanitizers"
  stage tsan "thread tests under the thread sanitizer, three times"
  stage fuzz "fuzz targets, $fuzz_seconds s each"
  stage tidy "clang-tidy"
  say "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
