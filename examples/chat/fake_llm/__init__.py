"""A fake of the HTTP APIs of OpenAI and Anthropic with token figures that are known beforehand. Standard library only."""
