"""One price table from the built-in list and every LLMPriceList."""
