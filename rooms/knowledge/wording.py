from console.wording import Words

WORDS = Words({})
