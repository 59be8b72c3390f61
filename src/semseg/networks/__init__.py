"""FCN, PSP and DeepLabV3 on dilated ResNets, their weights and the artifact they are kept in."""
