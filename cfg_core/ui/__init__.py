"""The page: tabs over the engine. It knows requests and the engine, not torch."""
