# What a run of ctest skipped, and why: awk -f skipped.awk build/PRESET/Testing/Temporary/LastTest.log
# A line for each of GoogleTest's tests, also in a program that ran others, and one where there is no control plane. And
# what was measured but not compared with its bound, because the machine was busy (expect_at_most).

/^\[  SKIPPED \] .* \([0-9]+ ms\)$/ {
  sub(/^skipped: /, "", why)
  print "skipped: " $4 ": " (why == "" ? "no reason given" : why)
  reading = 0
  why = ""
}
reading && $0 != "" { why = why (why == "" ? "" : " ") $0 }
/: Skipped$/        { reading = 1; why = "" }

# Of tests/e2e/control-plane, whose exit status says the same to ctest.
sub(/^control-plane: no [a-z-]+: /, "") { print "skipped: e2e.control-plane: " $0 }

# Of tests/deploy/monitoring/run.
sub(/^monitoring: skipped: /, "") { print "skipped: monitoring: " $0 }

# Of expect_at_most.
/: [0-9.]+ s \(not judged: / && sub(/\(not judged: /, "(") { print "not judged: " $0 }
