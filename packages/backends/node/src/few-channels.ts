/** Channels below which whole rows are taken as channels: TensorFlow's loops over channels are its fast ones. */
export const FEW_CHANNELS = 16;
