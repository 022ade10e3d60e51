package corpus

var french = Language{
	Code: "fr", Name: "Élodie Maréchal", First: "Élodie", Address: "elodie.marechal@valclair.example.org", Domain: "valclair.example.org",
	Card: []string{"Élodie Maréchal", "Responsable de la production informatique", "Clinique du Val Clair", "Tél. 01 55 55 01 29"}, Closing: "Cordialement,",
	Re: "RE: ", Fwd: "TR: ", Subject: "Demande d'accès S000221 : root sur app-soins-02",
	Notice: []string{
		"Bonjour Élodie,", "", "Karim Benali demande l'accès à app-soins-02 avec le compte root, du 3 mars 2025 11:00 au 12:00 (UTC).",
		"Motif : mise à jour du connecteur de laboratoire.", "", "Ouvrir la demande : https://orbit.example.com/decide/4rt9", "Ou répondez à ce courriel avec APPROVE ou REJECT en première ligne.", "", "Orbit, centre de notifications",
	},
	Answers: []Answer{
		{"APPROVE", "approve"},
		{"Approve.\n\nMerci de fermer la session avant midi, l'audit commence à treize heures.", "approve"},
		{"reject\n\nLa fenêtre de changement n'ouvre que jeudi.", "reject"},
		{"J'écrirais bien APPROVE si le motif était plus clair. De quel connecteur s'agit-il ?", ""},
		{"DISAPPROVE !", "reject"},
		{"Merci de ne rien accorder à Karim aujourd'hui, il est en déplacement.", ""},
		{"APPROVE\npour une heure seulement", "approve"},
		{"Approuvé, merci.", ""},
		{"“APPROVE”", "approve"},
		{"Quelle mise à jour ? Personne ne m'a prévenue.\n\nParlons-en à dix heures.", ""},
		{"REJECT\n\nUtilisez le compte en lecture seule.", "reject"},
		{"approve ?", ""},
		{"D'accord pour moi, mais voyez aussi avec Sophie.", ""},
	},
	On: On{
		Gmail: "Le lun. 3 mars 2025 à 10:12, Orbit <notifications@orbit.example.com> a écrit :", Apple: "Le 3 mars 2025 à 10:12, Orbit <notifications@orbit.example.com> a écrit :",
		Thunderbird: "Le 03/03/2025 à 10:12, Orbit a écrit :", Yahoo: "Le lundi 3 mars 2025 à 10:12:33 UTC+1, Orbit <notifications@orbit.example.com> a écrit :",
		Roundcube: "Le 2025-03-03 10:12, Orbit a écrit :", Proton: "Le lundi 3 mars 2025 à 10:12, Orbit <notifications@orbit.example.com> a écrit :",
	},
	Labels: Labels{"De", "Envoyé", "À", "Objet", "lundi 3 mars 2025 10:12"}, Original: "Message d'origine",
	IPhone: "Envoyé de mon iPhone", OutlookMobile: "Télécharger Outlook pour iOS", YahooPhone: "Envoyé à partir de Yahoo Mail sur Android",
	Disclaimer: "Ce message et ses pièces jointes sont confidentiels et réservés à la personne indiquée. Si vous l'avez reçu par erreur, supprimez-le.",
	Away: Away{
		"Réponse automatique : ", "Absence du bureau : ",
		"Bonjour,\n\nje suis absente jusqu'au lundi 10 mars et ne lis pas mes courriels.\n\nEn cas d'urgence, écrivez à Sophie Garnier, sophie.garnier@valclair.example.org.\n\nÉlodie Maréchal",
	},
	Read: Read{"Lu : ", "Votre message a été affiché sur l'ordinateur du destinataire. Rien ne garantit qu'il a été lu ou compris.", "Votre message\n\n   À : Élodie Maréchal\n   Objet : %s\n   Envoyé : lundi 3 mars 2025 10:12:33 (UTC)\n\n a été lu le lundi 3 mars 2025 10:40:02 (UTC)."},
	Undelivered: Undelivered{
		"Non remis : ", "Votre message à elodie.marechal@valclair.example.org n'a pas pu être remis.", "elodie.marechal est introuvable à valclair.example.org.", "En-têtes de message d'origine",
	},
}
