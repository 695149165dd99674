# GROUPLINK_SANITIZE instruments everything built here; dependencies stay as they are.
if(GROUPLINK_SANITIZE)
  add_compile_options(-fsanitize=${GROUPLINK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GROUPLINK_SANITIZE})
endif()
