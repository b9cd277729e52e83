/** More than any note: a customer who gives so much too much has been mistyped. */
const SPARE_FEN = 10_000;
const TIMES = 10;

/** Whether nobody would hand over so much for so little. A large note for a small sum is usual. */
export const isImplausible = (tenderedFen: number, payFen: number): boolean =>
  tenderedFen >= TIMES * payFen && tenderedFen - payFen > SPARE_FEN;
