/** Share of red, green and blue in grey (ITU-R BT.601). */
export const greyShares: readonly number[] = [0.299, 0.587, 0.114];
