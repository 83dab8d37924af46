"""Files that are broken, odd or made to harm, each made by code, with what must come of it."""

from bench.broken import archives, office, pdfs, sheets, texts
from bench.broken.cases import Case

CASES: tuple[Case, ...] = (*texts.CASES, *pdfs.CASES, *office.CASES, *sheets.CASES, *archives.CASES)
