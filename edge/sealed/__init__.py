"""What a store and headquarters both know: sealed records, who can open them, and what identifies a customer."""
