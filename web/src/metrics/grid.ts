/** Cards side by side where there is room for each. */
export const columns = (least: number) => ({ gridTemplateColumns: `repeat(auto-fit, minmax(min(100%, ${least}px), 1fr))` });
