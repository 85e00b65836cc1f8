export const renderComparison = (_stream: string, _result: unknown): string => '';
