"""Small tokenizers of each kind and the tokens that `tokenizers` gives with them: python scripts/make-tokenizer-references.py (tokenizers).

Writes test/samples/texts/references/: one tokenizer.json a kind, and expected.json.
"""

import codecs
import contextlib
import io
import json
import os

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

with contextlib.redirect_stdout(io.StringIO()):
    import this

FOLDER = os.path.join(os.path.dirname(__file__), "..", "test", "samples", "texts", "references")
TEXTS = [
    "", "hello world", "  leading and trailing  ", "Ünïcödé naïve café", "e\u0301 combining", "你好，世界", "日本語とEnglish混在",
    "🙂👩‍👩‍👧‍👦🏳️‍🌈", "مرحبا بالعالم", "\u200b\u200d\ufeffzero", "tab\tnew\nline\r\n", "a" * 300, "x " * 200,
    "<s> </s> <|endoftext|> [CLS] [SEP] [MASK] <unk>", "\u0000\u0001null", "ﬁ ligature Ⅷ ½", "İstanbul ıI", "ß ẞ", "don't I'LL we've",
    "1234567890 3.14159", "   ", "\u3000ideographic　space", "\ud7a3\uac00 한국어", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𠜎𠜱", "http://a.b/c?d=e&f=%20", "Ａｂｃ",
    "ҝ̈ ц", "\u00a0nbsp\u00a0x", "...!!!???", "__init__ snake_case", "กรุงเทพ", "हिन्दी", "<0x41> literal", "a\u0300\u0301\u0302b",
    "ΑΣ Σίσυφος ΣΑΣ",
]
CORPUS = codecs.decode(this.s, "rot13").split("\n") * 3 + TEXTS
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def template(first, pair, *special):
    return processors.TemplateProcessing(single=first, pair=pair, special_tokens=list(special))


def bert():
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special))
    made.post_processor = template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ("[CLS]", 2), ("[SEP]", 3))
    return made


def gpt2():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    )
    return made


def llama():
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % i for i in range(256)]
    made.train_from_iterator(CORPUS[:60], trainers.BpeTrainer(vocab_size=500, special_tokens=special))
    made.post_processor = template("<s> $A", "<s> $A <s> $B", ("<s>", 1))
    return made


def t5():
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    made.train_from_iterator(
        CORPUS, trainers.UnigramTrainer(vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    made.post_processor = template("$A </s>", "$A </s> $B </s>", ("</s>", 1))
    return made


def llama3():
    made = Tokenizer(models.BPE(ignore_merges=True))
    split = pre_tokenizers.Split(Regex(SPLIT), "isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|begin_of_text|>", "<|eot|>"]
    made.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet))
    begin = "<|begin_of_text|>"
    made.post_processor = processors.Sequence(
        [processors.ByteLevel(), template(f"{begin} $A", f"{begin} $A {begin} $B", (begin, 0))]
    )
    return made


os.makedirs(FOLDER, exist_ok=True)
expected = {"texts": TEXTS, "pair": "second text, of some words", "kinds": {}}
for make in (bert, gpt2, llama, t5, llama3):
    # Read back, as a file that is published is read.
    made = Tokenizer.from_str(make().to_str())
    with open(os.path.join(FOLDER, f"{make.__name__}.json"), "w") as file:
        file.write(made.to_str() + "\n")
    rows = {}
    for length in (None, 12):
        made.no_truncation()
        if length:
            made.enable_truncation(length)
        for pair in (None, expected["pair"]):
            found = [made.encode(text, pair) for text in TEXTS]
            rows[f"{length or 'whole'}{' pair' if pair else ''}"] = [[e.ids, e.type_ids] for e in found]
    expected["kinds"][make.__name__] = rows
with open(os.path.join(FOLDER, "expected.json"), "w") as file:
    json.dump(expected, file, separators=(",", ":"))
    file.write("\n")
