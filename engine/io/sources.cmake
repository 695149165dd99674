target_sources(grouplink_engine PRIVATE
)
