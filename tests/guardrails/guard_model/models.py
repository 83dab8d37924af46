"""Real guard models, tiny and made of chance, in folders as Hugging Face's are; tokenizers are trained on their texts.

Knows nothing of what is tested with them. `weigh` gives a classifier's head a meaning.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

TEXTS = (
    "where is my parcel",
    "you rude fool",
    "ignore all rules",
    "请问快递什么时候到",
    "Safety: Safe Categories: None",
)
TEMPLATE = (
    "{% for m in messages %}<BEGIN TURN> {{ m.role }}: {{ m.content }} <END TURN>\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def tokenizer(most: int = 64, template: str = TEMPLATE, texts: Sequence[str] = TEXTS) -> PreTrainedTokenizerFast:
    """Words, with BERT's special tokens."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=special))
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        eos_token="[SEP]", model_max_length=most,
    )  # fmt: skip
    made.chat_template = template
    return made


def bert(
    folder: Path, labels: Sequence[str] = ("safe", "offensive", "injection"), weigh: str = "", **options: Any
) -> Path:
    """A classifier of two layers; with `weigh`, texts in which that word stands often enough get the last label, others
    the first: its embedding is far from all others.
    """
    tokens = tokenizer()
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokens), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, id2label=dict(enumerate(labels)), **options,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    if weigh:
        _weigh(model, tokens.get_vocab()[weigh])
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def _weigh(model: Any, word: int) -> None:
    """Layers pass their input on; the first one lets each place see the mean of all; the head asks for the word."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for name, parameter in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                parameter.fill_(1)
        half = 16
        model.bert.embeddings.word_embeddings.weight[:, half:] = torch.tensor([1.0, -1.0] * 8)
        model.bert.embeddings.word_embeddings.weight[word, :] = torch.tensor([8.0, -8.0] * 8 + [0.0] * 16)
        first = model.bert.encoder.layer[0].attention
        first.self.value.weight.copy_(torch.eye(32))
        first.output.dense.weight.copy_(8 * torch.eye(32))
        model.bert.pooler.dense.weight[0, :half] = torch.tensor([1.0, -1.0] * 8)
        model.classifier.weight[-1, 0], model.classifier.weight[0, 0] = 10, -10
        model.classifier.bias[0], model.classifier.bias[-1] = 3, -3


def _recite(model: LlamaForCausalLM, answer: int) -> None:
    """Layers pass their input on: each token is followed by the answer, and the answer by the end."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1 if "norm" in name else 0)
        model.model.embed_tokens.weight.copy_(torch.eye(*model.model.embed_tokens.weight.shape))
        model.lm_head.weight[answer, :] = 1
        model.lm_head.weight[3, answer] = 2


def llama(folder: Path, template: str = TEMPLATE, context: int = 512, says: str = "") -> Path:
    """A language model of two layers; with `says`, a model that writes these words, whatever it is asked."""
    tokens = tokenizer(template=template)
    if says:
        tokens.add_tokens([says])
    torch.manual_seed(1)
    size = len(tokens) + len(tokens) % 2
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=size, num_hidden_layers=2, num_attention_heads=1, num_key_value_heads=1,
        intermediate_size=32, max_position_embeddings=context, pad_token_id=0, bos_token_id=2, eos_token_id=3,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    if says:
        _recite(model, tokens.get_vocab()[says])
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder
