"""Word for people who are not looking: what is worth it, who wants it, in which words, and how it reaches them.

finding    what is so now, kind by kind
looking    compares that with the alerts that are open, opens and closes them, and notes who is to hear of it
telling    makes messages of what is noted, in a person's own time
digest     the morning's message
words      what messages say: counts, names of organisations, times and links, and no text from Amili
messages   puts messages for a person's channels, to be sent
sending    sends them, by `mail` and `webhooks`
"""
