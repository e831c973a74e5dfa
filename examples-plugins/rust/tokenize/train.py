"""Trains the `tokenizer.json` in this folder on the text of this checkout: byte-level BPE, 3072 tokens.

    pip install tokenizers
    python examples-plugins/rust/tokenize/train.py

The text is all sources and documents that git tracks, without lock files and without the tokenizer itself. Other
text changes the vocabulary, never the format.
"""

import pathlib
import subprocess

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def texts():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in sorted(subprocess.check_output(command, cwd=ROOT, text=True).splitlines()):
        path = ROOT / name
        if path.suffix in {".md", ".rs", ".wit", ".toml", ".py", ".wat"} and path.exists():
            yield path.read_text(encoding="utf-8")


tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=3072,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(texts(), trainer)
tokenizer.save(str(HERE / "tokenizer.json"), pretty=False)
