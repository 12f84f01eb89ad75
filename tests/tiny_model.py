"""Causal language models of half a megabyte with chat templates, for tests."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

CHAT_ML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTEXT = 2048


def make_tiny_model(folder: Path) -> Path:
    """Write a model with random weights, whose answers are noise; return the folder."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        ["The patient was admitted with heart failure and discharged home."] * 4,
        trainers.BpeTrainer(
            vocab_size=448,
            special_tokens=["<|pad|>", "<|bos|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        bos_token="<|bos|>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
    )
    fast.chat_template = CHAT_ML
    fast.model_max_length = CONTEXT
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(do_sample=True, eos_token_id=3, pad_token_id=0)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


SENTENCES = [
    "the patient was admitted with heart failure and short of breath",
    "she was given furosemide by vein over several days",
    "he had swelling of both legs which then improved slowly",
    "blood pressure stayed low but cultures were negative throughout hospital course",
    "follow up at clinic within two weeks discharged home today",
]


def make_speaking_model(folder: Path) -> Path:
    """Write a model that writes short notes of plain words and ends them; return the folder.

    A Markov chain in the shape of a language model: attention and feed-forward layers add nothing,
    so that each word depends on the one before alone. At a sentence's first half it may move on to
    the next sentence's second half, so that notes differ.
    """
    sentences = [line.split() for line in SENTENCES]
    words = list(dict.fromkeys(word for line in sentences for word in line))
    marks = ["<|pad|>", "<unk>", "<|im_start|>", "<|im_end|>", "assistant"]
    vocabulary = {word: number for number, word in enumerate([*marks, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        unk_token="<unk>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
    )
    fast.chat_template = CHAT_ML
    fast.model_max_length = 8 * CONTEXT
    size = len(vocabulary)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=size + size % 2,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=8 * CONTEXT,
        tie_word_embeddings=False,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=3,
    )
    model = LlamaForCausalLM(config)
    follows = torch.full((size, size), -10.0)
    spoken = [word for line in sentences for word in line]
    for word, following in zip(["assistant", *spoken], [*spoken, "<|im_end|>"], strict=True):
        follows[vocabulary[word], vocabulary[following]] = 10.0
    with torch.no_grad():
        layer = model.model.layers[0]
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size, config.hidden_size))
        # The norm makes a one-hot vector as long as the root of its size.
        model.lm_head.weight.zero_()
        model.lm_head.weight[:, :size] = follows.T / config.hidden_size**0.5
    model.generation_config = GenerationConfig(do_sample=True, eos_token_id=3, pad_token_id=0)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
