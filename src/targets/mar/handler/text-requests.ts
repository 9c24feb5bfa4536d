/** Python that tokenizes texts; only handlers of `--preprocess text` have it. */
export const TEXT_PACKAGES = `from tokenizers import Tokenizer
`;

export const VOCABULARY_PACKAGES = `from tokenizers.implementations import BertWordPieceTokenizer
`;

/** The methods of the class. */
export const TEXT_METHODS = `
    def prepare(self):
        self.tokenizer = load_tokenizer(os.path.join(self.folder, TEXT["file"]))
        self.tokenizer.enable_truncation(TEXT["maxLength"])
        self.padding = padding_of(self.tokenizer)
        if TEXT["length"] is not None:
            self.tokenizer.enable_padding(length=TEXT["length"], **self.padding)
        else:
            self.tokenizer.no_padding()

    def read(self, row):
        value = text_body(body_of(row))
        if isinstance(value, dict) and "text" not in value:
            return tensors_of(value)
        texts, pairs = texts_in(value)
        single = isinstance(texts, str)
        texts = [texts] if single else texts
        pairs = [None] * len(texts) if pairs is None else [pairs] if single else pairs
        if len(pairs) != len(texts):
            raise wrong('"text" and "text_pair" differ in length')
        found = [self.tokenizer.encode(text, pair) for text, pair in zip(texts, pairs)]
        longest = max(len(encoding.ids) for encoding in found)
        for encoding in found:
            # Texts of one request run together; without a mask they must have one length.
            if len(encoding.ids) != longest and TEXT["mask"] is None:
                raise wrong("The texts differ in length and the model has no attention mask: send one a request")
            encoding.pad(longest, **self.padding)
        feeds = {}
        for spec in INPUTS:
            rows = [getattr(encoding, TEXT["fields"][spec["name"]]) for encoding in found]
            array = np.array(rows, dtype=spec["type"])
            feeds[spec["name"]] = array[0] if single and BATCH != "whole" else array
        return feeds

    def aligned(self, requests):
        """Pads requests to one length, so that they run together, where the mask and the outputs allow it."""
        ready = [request for request in requests if "error" not in request]
        if not self.stacked or not TEXT["pads"] or len(ready) < 2:
            return requests
        longest = max(request["feeds"][INPUTS[0]["name"]].shape[1] for request in ready)
        for request in ready:
            for spec in INPUTS:
                array = request["feeds"][spec["name"]]
                fill = PADS_WITH.get(TEXT["fields"][spec["name"]], 0)
                value = self.padding[fill] if fill else 0
                width = [(0, 0), (0, longest - array.shape[1])]
                request["feeds"][spec["name"]] = np.pad(array, width, constant_values=value)
        return requests
`;

export const TEXT_FUNCTIONS = `

PADS_WITH = {"ids": "pad_id", "type_ids": "pad_type_id"}


def padding_of(tokenizer):
    """What the tokenizer pads with: as its file says, else its token for that."""
    told = tokenizer.padding
    if told:
        return {key: told[key] for key in ("pad_id", "pad_type_id", "pad_token")}
    for token in ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>"):
        found = tokenizer.token_to_id(token)
        if found is not None:
            return {"pad_id": found, "pad_type_id": 0, "pad_token": token}
    return {"pad_id": 0, "pad_type_id": 0, "pad_token": ""}


def text_body(body):
    """JSON as it is; other bodies are the text itself."""
    if not isinstance(body, (bytes, bytearray)):
        return body
    try:
        text = bytes(body).decode("utf-8")
    except UnicodeDecodeError:
        raise wrong("The body is not UTF-8") from None
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def texts_in(value):
    texts, pairs = (value["text"], value.get("text_pair")) if isinstance(value, dict) else (value, None)
    for part in (texts, pairs):
        if isinstance(part, str) or (part is None and part is pairs):
            continue
        if not isinstance(part, list) or not part or not all(isinstance(text, str) for text in part):
            raise wrong("Send a text, a list of texts, or an object with \\"text\\"")
    if isinstance(texts, str) != isinstance(pairs, str) and pairs is not None:
        raise wrong('"text" and "text_pair" must both be texts, or both be lists')
    return texts, pairs
`;

export const TOKENIZER_FILE = `

def load_tokenizer(path):
    return Tokenizer.from_file(path)
`;

export const TOKENIZER_VOCABULARY = `

def load_tokenizer(path):
    return BertWordPieceTokenizer(path, lowercase=TEXT["lowercase"])
`;
