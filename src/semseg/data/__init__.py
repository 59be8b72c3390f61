"""From the files of a channel to batches of arrays. Imports no MXNet: numpy, Pillow and tqdm only.

Read it in this order: `images` (one file to pixels), `pairs` (folders to image and mask),
`scan` and `checks` (is the whole dataset sound?), `augmentation` and `normalization` (pixels to
network input), `loading` (batches, made by threads).
"""
