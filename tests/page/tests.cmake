list(APPEND unit_tests
  page/charts_test.cpp
  page/layout_test.cpp
  page/page_test.cpp
  page/sample_test.cpp)
