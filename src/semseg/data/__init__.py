"""From the data of a channel to batches of arrays. Imports no MXNet: numpy, Pillow and tqdm only.

Read it in this order: `images` (one file to pixels), `label_maps` (what a mask's pixels mean),
`sources` (what is read: a file, or a record),
`pairs` and `record_files` (folders to images with their masks), `scan` and `checks` (is the whole
dataset sound?), `decoding` (a pair to pixels), `augmentation` and `normalization` (pixels to
network input), `loading` and `streaming` (which samples make a batch), `assembly` (batches, made by
threads, in `batch_memory`).
"""
